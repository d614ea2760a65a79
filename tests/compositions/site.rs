//! The same small site in each composition, as a Tower service: a page, a guarded one, an echo.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use portcullis::{BoxError, RequireAuth, get_server_session};
use tower::{Layer, Service, service_fn};

pub type SiteBody = UnsyncBoxBody<Bytes, Infallible>;

/// What a service of Tower in front of the site has to be.
pub trait Site<B>:
    Service<
        Request<B>,
        Response = Response<SiteBody>,
        Error = Infallible,
        Future = BoxFuture<'static, Result<Response<SiteBody>, Infallible>>,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S, B> Site<B> for S where
    S: Service<
            Request<B>,
            Response = Response<SiteBody>,
            Error = Infallible,
            Future = BoxFuture<'static, Result<Response<SiteBody>, Infallible>>,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// `/page`, `/guarded` and `/echo`, below whatever stands before them. The guard judges when it is called,
/// the page asks when it is polled.
pub fn site<B>() -> impl Site<B>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    service_fn(|request: Request<B>| -> BoxFuture<'static, _> {
        match request.uri().path().rsplit('/').next() {
            Some("guarded") => {
                let call = RequireAuth::signed_in().layer(service_fn(page)).call(request);
                Box::pin(async { call.await.map(|response| response.map(BodyExt::boxed_unsync)) })
            }
            Some("echo") => Box::pin(async { Ok(echo(request).await.map(BodyExt::boxed_unsync)) }),
            Some("page") => {
                Box::pin(async { page(request).await.map(|response| response.map(BodyExt::boxed_unsync)) })
            }
            _ => Box::pin(async { Ok(not_found().map(BodyExt::boxed_unsync)) }),
        }
    })
}

async fn page<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let who = match get_server_session(&request) {
        Ok(Some(session)) => session.subject().to_owned(),
        Ok(None) => "nobody".to_owned(),
        Err(error) => error.code().to_owned(),
    };
    let response = show(&who, request.headers());
    // hyper leaves a body out in HTTP/1 only.
    Ok(if request.method() == Method::HEAD { response.map(|_| Full::default()) } else { response })
}

/// The page for `who`. It counts visits in a cookie of its own and sets a second one beside it.
pub fn show(who: &str, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let visits = 1 + cookie(headers, "visits").map_or(0, |visits| visits.parse::<u32>().unwrap());
    let mut response = Response::new(Full::from(format!("{who} is here, this is visit number {visits}")));
    let set = response.headers_mut();
    set.insert("x-who", HeaderValue::from_str(who).unwrap());
    set.append(header::SET_COOKIE, format!("visits={visits}; Path=/").parse().unwrap());
    set.append(header::SET_COOKIE, HeaderValue::from_static("theme=dark; Path=/; Secure; SameSite=Strict"));
    response
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split("; "))
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

async fn echo<B>(request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body<Error: Into<BoxError>>,
{
    match request.into_body().collect().await {
        Ok(body) => Response::new(Full::new(body.to_bytes())),
        Err(error) => {
            let mut response = Response::new(Full::from(error.into().to_string()));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    }
}

fn not_found() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
