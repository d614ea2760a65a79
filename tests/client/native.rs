//! The listener that the browser comes back to, and what has come of the sign-in then.

use portcullis::client::{Client, ClientErrorKind, NativeSignIn};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    replies::{Replies, Reply},
    support::ORIGIN,
};

/// What a browser says of a page that the user goes to.
const GOES_THERE: &[(&str, &str)] =
    &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

/// A server whose provider is asked with this state, if any.
fn replies(state: Option<&str>) -> Replies {
    let state = state.map(|state| format!("&state={state}")).unwrap_or_default();
    let url = format!("https://acme.example/authorize?client_id=1{state}");
    Replies::new()
        .with("POST signin/acme", Reply::json(&json!({ "url": url })))
        .with("callback/acme", Reply::status(302).with_location("/after"))
}

fn client(replies: &Replies) -> Client {
    Client::builder(ORIGIN).http_client(replies.http()).build().unwrap()
}

/// The listener's `127.0.0.1:PORT`, as the server was told it.
fn listener(replies: &Replies) -> String {
    let begun = replies.asked().into_iter().find(|asked| asked.endpoint() == "POST signin/acme").unwrap();
    let (_, url) = begun.form().into_iter().find(|(name, _)| name == "callbackUrl").unwrap();
    url.strip_prefix("http://").unwrap().split_once('/').unwrap().0.to_owned()
}

/// What the listener answers: the status, and the page.
async fn visit(listener: &str, query: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "GET /api/auth/callback/acme?{query} HTTP/1.1\r\nhost: {listener}\r\nconnection: close\r\n{headers}\r\n"
    );
    let mut stream = TcpStream::connect(listener).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

/// Signs in, while `browse` is what comes to the listener after the URL was opened.
async fn signing_in<T>(
    replies: &Replies,
    browse: impl AsyncFnOnce(String) -> T,
) -> (Result<Option<String>, ClientErrorKind>, T) {
    let (opened, mut is_open) = tokio::sync::mpsc::channel(1);
    let client = client(replies);
    let outcome = client.sign_in_native(NativeSignIn::at("acme"), move |_| Ok(opened.try_send(())?));
    let browsed = async {
        is_open.recv().await.expect("the browser is opened");
        browse(listener(replies)).await
    };
    let (outcome, browsed) = tokio::join!(outcome, browsed);
    (outcome.map(|done| done.error).map_err(|error| error.kind()), browsed)
}

/// Where there is no state to know, whatever a page can have loaded unseen would do.
#[tokio::test]
async fn s30_what_a_page_loads_ends_no_sign_in() {
    let strays: &[&[(&str, &str)]] = &[
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "frame")],
        &[("sec-fetch-mode", "no-cors")],
        &[("sec-fetch-dest", "object")],
        &[("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "no-cors")],
        &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-purpose", "prefetch")],
    ];
    for state in [None, Some("known")] {
        for user in [GOES_THERE, &[]] {
            let replies = replies(state);
            let with_state = state.map(|state| format!("&state={state}")).unwrap_or_default();
            let (outcome, (status, page)) = signing_in(&replies, async |listener| {
                for stray in strays {
                    let (status, page) = visit(&listener, &format!("code=evil{with_state}"), stray).await;
                    assert!(status == 404 && !page.contains("evil"), "{stray:?}: {page}");
                }
                visit(&listener, &format!("code=good{with_state}"), user).await
            })
            .await;
            assert_eq!((outcome, status), (Ok(None), 200), "{state:?} {user:?}: {page}");
            let asked = replies.last();
            assert_eq!(asked.uri.query(), Some(&*format!("code=good{with_state}")), "{state:?} {user:?}");
        }
    }
}

/// Nobody is told "signed in" who is not.
#[tokio::test]
async fn what_the_server_answers_is_what_the_user_is_told() {
    let shape = Err(ClientErrorKind::Shape);
    let status = Err(ClientErrorKind::Status);
    for (reply, outcome) in [
        (Reply::status(302).with_location("/api/auth/signin"), Ok(Some("Callback"))),
        (Reply::status(302).with_location("/api/auth/error?error=AccessDenied"), Ok(Some("AccessDenied"))),
        (
            Reply::status(302).with_location("/api/auth/callback/acme?code=1/signin"),
            Ok(Some("OAuthCallback")),
        ),
        (Reply::status(502).with_body("<!doctype html>"), status),
        (Reply::status(503).with_body(r#"{"message":"later"}"#), status),
        (Reply::status(302), status),
        (Reply::status(200).with_body("<!doctype html>"), shape),
        (Reply::down(), Err(ClientErrorKind::Unavailable)),
    ] {
        let replies = replies(None).with("callback/acme", reply);
        let (done, (status, page)) =
            signing_in(&replies, async |listener| visit(&listener, "code=1", GOES_THERE).await).await;
        assert_eq!(done, outcome.map(|error| error.map(str::to_owned)), "{page}");
        assert!(status == 400 && page.contains("You are not signed in"), "{outcome:?}: {page}");
        assert_eq!(replies.last().endpoint(), "callback/acme", "no form is posted");
    }
}
