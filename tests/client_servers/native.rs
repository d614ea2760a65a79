//! Sign-in in the user's own browser. Those servers of npm that believe to be where the client listens support it.

use std::{sync::Mutex, time::Duration};

use http::{Method, Response, StatusCode};
use portcullis::client::{Client, ClientError, ClientErrorKind, NativeSignIn, SignInResponse};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    browser::{led_to, open, param, send},
    links::error_of,
    visit::{Visit, name},
};

const CALLBACK: &str = "/api/auth/callback/oidc";

/// Where the listener is.
fn listener(visit: &Visit) -> String {
    format!("127.0.0.1:{}", visit.site.native_port)
}

fn how(visit: &Visit) -> NativeSignIn {
    NativeSignIn::at("oidc").port(visit.site.native_port)
}

/// Signs in, while `browse` is what the user does with the URL.
async fn sign_in<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    client: &Client,
    how: NativeSignIn,
    browse: impl FnOnce(String) -> F,
) -> (Result<SignInResponse, ClientError>, T) {
    let browsing: Mutex<Option<JoinHandle<T>>> = Mutex::default();
    let outcome = client.sign_in_native(how, |url| {
        *browsing.lock().unwrap() = Some(tokio::spawn(browse(url.to_owned())));
        Ok(())
    });
    let outcome = outcome.await;
    let browsing = browsing.into_inner().unwrap().unwrap_or_else(|| panic!("no browser: {outcome:?}"));
    (outcome, browsing.await.unwrap())
}

pub async fn signs_in(visit: Visit) {
    let client = visit.native_client();
    let how = how(&visit).authorization_param("login_hint", "dora");
    let (outcome, page) = sign_in(&client, how, open).await;
    assert_eq!(outcome.unwrap().error, None);
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.body().contains("You are signed in"), "{}", page.body());
    assert_eq!(name(&client).await.as_deref(), Some("dora"));
}

/// Other programs, and pages in the same browser, can send what they like.
pub async fn stray_requests(visit: Visit) {
    let client = visit.native_client();
    let (own, callback) = (listener(&visit), format!("http://{}{CALLBACK}", listener(&visit)));
    let (outcome, (strays, page)) = sign_in(&client, how(&visit), move |url| async move {
        let back = led_to(&url).await;
        let query = back.split_once('?').unwrap().1.to_owned();
        let wrong = match param(&url, "state") {
            Some(state) => query.replace(&state, "another"),
            None => query.replace("code=", "other="),
        };
        let answer = format!("{callback}?{query}");
        let mut strays = Vec::new();
        for (method, url, headers) in [
            (Method::GET, format!("{callback}?{wrong}"), &[][..]),
            (Method::GET, format!("{callback}?{query}&{query}"), &[]),
            (Method::GET, callback.clone(), &[]),
            (Method::GET, answer.clone(), &[("host", "other.example")]),
            (Method::GET, answer.clone(), &[("host", "127.0.0.1")]),
            // As an image or a frame of any page; where there is no state, what it says need not be known.
            (
                Method::GET,
                answer.replace("code=", "code=evil"),
                &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
            ),
            (
                Method::GET,
                answer.replace("code=", "code=evil"),
                &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            ),
            (Method::GET, format!("{callback}/more?{query}"), &[]),
            (Method::GET, format!("http://{own}/?{query}"), &[]),
            (Method::POST, answer.clone(), &[]),
            (Method::HEAD, answer, &[]),
        ] {
            let response: Response<String> = send(method.clone(), &url, headers).await;
            strays.push((response.status(), format!("{method} {url} {headers:?}")));
        }
        (strays, open(back).await)
    })
    .await;
    for (status, stray) in strays {
        assert_eq!(status, StatusCode::NOT_FOUND, "{stray}");
    }
    assert_eq!((outcome.unwrap().error, page.status()), (None, StatusCode::OK));
    assert_eq!(name(&client).await.as_deref(), Some("alice"));
}

pub async fn refused(visit: Visit) {
    let client = visit.native_client();
    let how = how(&visit).authorization_param("login_hint", "cancel");
    let (outcome, page) = sign_in(&client, how, open).await;
    assert_eq!(outcome.unwrap().error.as_deref(), Some(error_of(visit.dialect())));
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert!(page.body().contains("You are not signed in"), "{}", page.body());
    assert_eq!(name(&client).await, None);
}

/// Who does not come back is not waited for; the port is free again then.
pub async fn time_limit(visit: Visit) {
    let client = visit.native_client();
    let short = how(&visit).time_limit(Duration::from_millis(100));
    let error = client.sign_in_native(short, |_| Ok(())).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Browser);
    assert!(error.to_string().contains("in time"), "{error}");
    let (outcome, _) = sign_in(&client, how(&visit), open).await;
    assert_eq!(outcome.unwrap().error, None);
}

pub async fn not_begun(visit: Visit) {
    let client = visit.native_client();
    let failing = client.sign_in_native(how(&visit), |_| Err("there is no display".into())).await;
    let error = failing.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Browser);
    assert!(error.to_string().contains("there is no display"), "{error}");

    let unknown = NativeSignIn::at("unknown").port(visit.site.native_port);
    let error = client.sign_in_native(unknown, |url| panic!("{url} is opened")).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Unsupported);

    let _taken = TcpListener::bind(listener(&visit)).await.unwrap();
    let error = client.sign_in_native(how(&visit), |url| panic!("{url} is opened")).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Browser);
    assert_eq!(name(&client).await, None);
}
