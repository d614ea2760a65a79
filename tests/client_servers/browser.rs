//! The user's browser, which has no cookies of the program.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use url::Url;

/// Sends one request, and follows nothing.
pub async fn send(method: Method, url: &str, headers: &[(&str, &str)]) -> Response<String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::new())).unwrap();
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}

/// Where this URL leads to.
pub async fn led_to(url: &str) -> String {
    let response = send(Method::GET, url, &[]).await;
    next(url, &response).unwrap_or_else(|| panic!("{url} leads nowhere: {}", response.body()))
}

/// Goes on until there is a page.
pub async fn open(url: String) -> Response<String> {
    let mut url = url;
    for _ in 0..5 {
        let response = send(Method::GET, &url, &[]).await;
        match next(&url, &response) {
            Some(next) => url = next,
            None => return response,
        }
    }
    panic!("it is led around in circles: {url}");
}

fn next<B>(url: &str, response: &Response<B>) -> Option<String> {
    let location = response.headers().get(header::LOCATION)?.to_str().unwrap();
    Some(Url::parse(url).unwrap().join(location).unwrap().into())
}

/// The value of a parameter of a URL.
pub fn param(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
