//! Sign-in with a password.

use std::time::Duration;

use http::StatusCode;
use portcullis::{
    Clock, Dialect, SystemClock, Timestamp,
    client::{ClientErrorKind, SignIn, SignInOptions},
};
use serde::Deserialize;

use crate::{
    browser::param,
    visit::{Visit, jsmith, name, same_page},
};

#[derive(Debug, Deserialize)]
struct Member {
    id: String,
    role: String,
}

/// What a type of the application may get wrong.
#[derive(Debug, Deserialize)]
struct Numbered {
    #[allow(dead_code, reason = "it cannot be read")]
    id: u64,
}

/// The sign-in page is for those who have not chosen yet.
pub async fn no_provider(visit: Visit) {
    let client = visit.client();
    for provider in [None, Some("unknown"), Some("")] {
        let outcome = client.sign_in(provider, SignInOptions::new(), &[]).await.unwrap();
        let SignIn::Redirect(url) = outcome else { panic!("{outcome:?}") };
        assert!(url.starts_with(&visit.at("/api/auth/signin?")), "{url}");
        assert_eq!(param(&url, "callbackUrl").as_deref(), Some(&*visit.program().url));
    }
    let options = SignInOptions::new().callback_url("/protected").redirect(false);
    let outcome = client.sign_in(None, options, &[]).await.unwrap();
    assert_eq!(param(outcome.url().unwrap(), "callbackUrl").as_deref(), Some("/protected"));
}

pub async fn wrong(visit: Visit) {
    let client = visit.client();
    let options = || SignInOptions::new().field("username", "jsmith").field("password", "wrong");
    let outcome = client.sign_in("credentials", options().redirect(false), &[]).await.unwrap();
    let response = visit.response(outcome);
    assert_eq!(response.error.as_deref(), Some("CredentialsSignin"));
    let is_v5 = visit.dialect() == Dialect::V5;
    let (code, status) =
        if is_v5 { (Some("credentials"), StatusCode::OK) } else { (None, StatusCode::UNAUTHORIZED) };
    assert_eq!((response.code.as_deref(), response.status, response.ok), (code, status, status.is_success()));
    assert_eq!(response.url, None);

    let outcome = client.sign_in("credentials", options(), &[]).await.unwrap();
    let SignIn::Redirect(url) = outcome else { panic!("{outcome:?}") };
    assert!(url.starts_with(&visit.program().url), "{url}");
    assert_eq!(param(&url, "error").as_deref(), Some("CredentialsSignin"));
    assert_eq!(name(&client).await, None);
}

pub async fn right(visit: Visit) {
    let client = visit.client();
    let response = visit.sign_in(&client).await;
    assert_eq!((&response.error, &response.code, response.status), (&None, &None, StatusCode::OK));
    assert!(response.ok);
    assert_eq!(response.url.as_deref().map(same_page), Some(&*visit.program().url));
    assert_eq!(name(&client).await.as_deref(), Some("J Smith"));
    assert_eq!(client.dialect(), Some(visit.believed()));

    let client = visit.client();
    let outcome = client.sign_in("credentials", jsmith(), &[]).await.unwrap();
    let SignIn::Redirect(url) = outcome else { panic!("{outcome:?}") };
    assert_eq!(same_page(&url), visit.program().url);
    assert_eq!(name(&client).await.as_deref(), Some("J Smith"));
}

pub async fn session(visit: Visit) {
    let client = visit.client();
    visit.sign_in(&client).await;
    let session = client.get_session().await.unwrap().unwrap();
    let user = &session.user;
    assert_eq!((user.name.as_deref(), user.email.as_deref()), (Some("J Smith"), Some("jsmith@example.com")));
    assert_eq!((user.get_str("role"), session.extra.len()), (Some("user"), 0));
    let day = Duration::from_secs(24 * 60 * 60);
    let (now, expires) = (Timestamp::from(SystemClock.now()), session.expires.unwrap());
    assert!(now.plus(29 * day) < expires && expires < now.plus(31 * day), "{expires:?}");

    let member = client.typed::<Member>().get_session().await.unwrap().unwrap().user;
    assert_eq!((Some(&*member.id), &*member.role), (user.get_str("id"), "user"));
    let error = client.typed::<Numbered>().get_session().await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Shape);
    assert!(error.to_string().contains("Numbered"), "{error}");
}

/// Where it leads afterwards: within the site only.
pub async fn goals(visit: Visit) {
    let own = visit.at("/protected?x=1&y=%20#z");
    for (goal, expected) in [
        ("/protected?x=1", visit.at("/protected?x=1")),
        (&own, own.clone()),
        ("https://other.example/", visit.at("")),
        ("//other.example/", visit.at("//other.example")),
    ] {
        for options in [jsmith().callback_url(goal), jsmith().redirect_to(goal).callback_url("/not-there")] {
            let client = visit.client();
            let outcome = client.sign_in("credentials", options.redirect(false), &[]).await.unwrap();
            let response = visit.response(outcome);
            assert_eq!(response.error, None, "{goal}");
            assert_eq!(response.url.as_deref().map(same_page), Some(&*expected), "{goal}");
            assert_eq!(name(&client).await.as_deref(), Some("J Smith"), "{goal}");
        }
    }
}
