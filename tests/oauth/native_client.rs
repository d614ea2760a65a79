//! The client of this crate signs in natively at a site of this crate: the program's part and the site's part together.
//! The site is asked without a socket; the browser comes back to the listener over one.

use bytes::Bytes;
use http::{Method, Request, StatusCode, Version, header};
use http_body_util::{BodyExt, Full};
use portcullis::{
    Auth, Dialect,
    client::{Client, ClientErrorKind, NativeSignIn, SignInResponse},
    http_client::HttpError,
};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::{
    client::client as bare,
    provider::Provider,
    site::{at_provider, browser, builder, oidc},
    support::{ORIGIN, whoami},
    time::Time,
};

fn site(dialect: Dialect, time: &Time, provider: &Provider) -> Auth {
    let acme = oidc("acme", provider);
    builder(time).dialect(dialect).native_clients(true).provider(acme).build().unwrap()
}

/// A program whose server is this one.
fn program(auth: &Auth, time: &Time) -> Client {
    let app = whoami(auth.clone());
    let send = move |request: Request<Bytes>| {
        let app = app.clone();
        async move { app.oneshot(request.map(Full::new)).await.map_err(HttpError::unavailable) }
    };
    Client::builder(ORIGIN).http_client(send).clock(time.clone()).build().unwrap()
}

/// The program, and what it wants to have opened.
fn signing_in(
    program: &Client,
) -> (mpsc::UnboundedReceiver<String>, impl Future<Output = Result<SignInResponse, ClientErrorKind>>) {
    let (opened, urls) = mpsc::unbounded_channel();
    let program = program.clone();
    let outcome = async move {
        let open = move |url: &str| Ok(opened.send(url.to_owned())?);
        program.sign_in_native(NativeSignIn::at("acme"), open).await.map_err(|error| error.kind())
    };
    (urls, outcome)
}

/// What the listener answers.
async fn visit(method: Method, url: &str, host: Option<&str>) -> (StatusCode, String) {
    let authority = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let client = bare::<Full<Bytes>>(authority.parse().unwrap(), Version::HTTP_11);
    let mut request = Request::builder().method(method).uri(url);
    if let Some(host) = host {
        request = request.header(header::HOST, host);
    }
    let answer = client.request(request.body(Full::default()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(parts.headers[header::CONTENT_SECURITY_POLICY], "default-src 'none'");
    (parts.status, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

/// Where the user's own browser is sent on to, after the provider and the site.
async fn led_on(auth: &Auth, url: &str) -> String {
    let answer = browser(auth).get(&at_provider(url).await).await;
    answer.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn a_program_is_signed_in() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let program = program(&auth, &time);
        let (mut urls, outcome) = signing_in(&program);
        let user = async {
            let url = urls.recv().await.unwrap();
            visit(Method::GET, &led_on(&auth, &url).await, None).await
        };
        let (outcome, (status, page)) = tokio::join!(outcome, user);
        assert_eq!(outcome.unwrap().error, None, "{dialect}");
        assert!(status == StatusCode::OK && page.contains("You are signed in"), "{dialect}: {page}");
        let session = program.get_session().await.unwrap().unwrap();
        assert!(session.user.email.is_some(), "{dialect}");
    }
}

/// S30: another program of this machine, or a page in the browser, ends nothing by what it sends.
#[tokio::test]
async fn s30_what_else_comes_is_refused_and_ends_nothing() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    let program = program(&auth, &time);
    let (mut urls, outcome) = signing_in(&program);
    let user = async {
        let url = urls.recv().await.unwrap();
        let to = led_on(&auth, &url).await;
        let (place, query) = to.split_once('?').unwrap();
        for (case, method, url, host) in [
            ("another state", Method::GET, format!("{place}?code=evil&state=evil"), None),
            ("no state", Method::GET, format!("{place}?code=evil"), None),
            ("the state twice", Method::GET, format!("{to}&state=evil"), None),
            ("no query", Method::GET, place.to_owned(), None),
            ("another path", Method::GET, to.replace("/callback/acme", "/callback/other"), None),
            ("the root", Method::GET, format!("{}/?{query}", place.split("/api").next().unwrap()), None),
            ("a post", Method::POST, to.clone(), None),
            ("another host", Method::GET, to.clone(), Some("evil.example")),
        ] {
            let (status, page) = visit(method, &url, host).await;
            assert!(status == StatusCode::NOT_FOUND && !page.contains("evil"), "{case}: {status} {page}");
        }
        visit(Method::GET, &to, None).await
    };
    let (outcome, (status, _)) = tokio::join!(outcome, user);
    assert_eq!((outcome.unwrap().error, status), (None, StatusCode::OK));
}

#[tokio::test]
async fn a_user_who_says_no_ends_it() {
    for (dialect, error) in [(Dialect::V4, "Callback"), (Dialect::V5, "OAuthCallbackError")] {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let program = program(&auth, &time);
        let (mut urls, outcome) = signing_in(&program);
        let user = async {
            let url = urls.recv().await.unwrap();
            let state = crate::site::param(&url, "state");
            let denied = format!("/api/auth/callback/acme?error=access_denied&state={state}");
            let answer = browser(&auth).get(&denied).await;
            visit(Method::GET, answer.header("location").unwrap(), None).await
        };
        let (outcome, (status, page)) = tokio::join!(outcome, user);
        assert_eq!(outcome.unwrap().error.as_deref(), Some(error), "{dialect}");
        assert!(status == StatusCode::BAD_REQUEST && page.contains("not signed in"), "{dialect}: {page}");
        assert_eq!(program.get_session().await.unwrap(), None, "{dialect}");
    }
}

/// An answer that the site passes on once more, since this program no longer has what it began with, is no sign-in.
#[tokio::test]
async fn an_answer_that_fits_no_sign_in_is_a_refusal() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let program = program(&auth, &time);
        let (mut urls, outcome) = signing_in(&program);
        let user = async {
            let url = urls.recv().await.unwrap();
            let to = led_on(&auth, &url).await;
            program.jar().clear().await;
            visit(Method::GET, &to, None).await
        };
        let (outcome, (status, page)) = tokio::join!(outcome, user);
        let outcome = outcome.unwrap();
        assert_eq!((outcome.error.as_deref(), outcome.url), (Some("OAuthCallback"), None), "{dialect}");
        assert!(status == StatusCode::BAD_REQUEST && page.contains("not signed in"), "{dialect}: {page}");
        assert_eq!(program.get_session().await.unwrap(), None, "{dialect}");
    }
}

/// A site that cannot use the profile leads back to where sign-ins begin, and says nothing of an error.
#[tokio::test]
async fn a_profile_that_is_of_no_use_is_a_refusal() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let acme = oidc("acme", &provider).profile(|_| Err("not one of ours".into()));
        let auth = builder(&time).dialect(dialect).native_clients(true).provider(acme).build().unwrap();
        let program = program(&auth, &time);
        let (mut urls, outcome) = signing_in(&program);
        let user = async {
            let url = urls.recv().await.unwrap();
            visit(Method::GET, &led_on(&auth, &url).await, None).await
        };
        let (outcome, (status, page)) = tokio::join!(outcome, user);
        let outcome = outcome.unwrap();
        assert_eq!((outcome.error.as_deref(), outcome.url), (Some("Callback"), None), "{dialect}");
        assert!(status == StatusCode::BAD_REQUEST && page.contains("not signed in"), "{dialect}: {page}");

        let begun = program.sign_in("acme", Default::default(), &[]).await.unwrap();
        let back = at_provider(begun.url().unwrap()).await;
        let outcome = program.complete_sign_in(&format!("{ORIGIN}{back}")).await.unwrap();
        assert_eq!(outcome.error.as_deref(), Some("Callback"), "{dialect}");
        assert_eq!(program.get_session().await.unwrap(), None, "{dialect}");
    }
}

/// Who never comes back is not waited for without an end, by the clock that is in use.
#[tokio::test]
async fn a_user_who_does_not_come_back() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    let program = program(&auth, &time);
    let (mut urls, outcome) = signing_in(&program);
    let passing = async {
        urls.recv().await.unwrap();
        // It begins to wait once the URL is open, which is when this task goes on.
        while !urls.is_closed() || !urls.is_empty() {
            tokio::task::yield_now().await;
        }
        time.pass(5 * 60);
    };
    let (outcome, ()) = tokio::join!(outcome, passing);
    assert_eq!(outcome.unwrap_err(), ClientErrorKind::Browser);
}

#[tokio::test]
async fn what_cannot_begin_says_so() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    let program = program(&auth, &time);

    let unopened = |_: &str| Err("there is no browser".into());
    let error = program.sign_in_native(NativeSignIn::at("acme"), unopened).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Browser);
    assert!(error.to_string().contains("there is no browser"), "{error}");

    let never = |_: &str| unreachable!("there is nothing to open");
    let unknown = program.sign_in_native(NativeSignIn::at("nowhere"), never).await.unwrap_err();
    assert_eq!(unknown.kind(), ClientErrorKind::Unsupported);

    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let how = NativeSignIn::at("acme").port(taken.local_addr().unwrap().port());
    let error =
        program.sign_in_native(how, |_| unreachable!("there is nowhere to come back to")).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Browser);
}

/// A web view hands over where it was sent, so that no listener is needed, nor the site's leave.
#[tokio::test]
async fn a_web_view_completes_it() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = builder(&time).dialect(dialect).provider(oidc("acme", &provider)).build().unwrap();
        let program = program(&auth, &time);
        let begun = program.sign_in("acme", Default::default(), &[]).await.unwrap();
        let back = at_provider(begun.url().unwrap()).await;
        let outcome = program.complete_sign_in(&format!("{ORIGIN}{back}")).await.unwrap();
        assert_eq!(outcome.error, None, "{dialect}");
        assert!(program.get_session().await.unwrap().is_some(), "{dialect}");
        for url in ["not a url", "https://app.example/", ORIGIN] {
            let error = program.complete_sign_in(url).await.unwrap_err();
            assert_eq!(error.kind(), ClientErrorKind::Unsupported, "{url}");
        }
    }
}
