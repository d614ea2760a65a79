//! Nobody is signed in who did not do something for it.

use std::sync::Arc;

use portcullis::{
    Dialect, Email,
    mail::Mailbox,
    store::{MemoryStore, Store},
};

use crate::{
    provider::Provider,
    site::{browser, builder, is_session, oidc},
    support::credentials,
    time::Time,
};

/// S102: what a third party can have a browser get (a picture, a frame, a page that is fetched before it is wanted, a
/// link) begins no session and sends nobody anywhere, at no endpoint.
#[tokio::test]
async fn s102_no_get_signs_anybody_in() {
    const PATHS: [&str; 16] = [
        "signin",
        "signin/acme",
        "signin/acme?prompt=none&login_hint=mallory",
        "signin/credentials?username=jsmith&password=hunter2",
        "signin/email?email=jsmith%40example.com",
        "callback/acme",
        "callback/acme?code=code-1&state=made-up",
        "callback/acme?code=code-1",
        "callback/acme?posted=made-up",
        "callback/credentials?username=jsmith&password=hunter2",
        "callback/email?token=made-up&email=jsmith%40example.com",
        "session",
        "csrf",
        "signout",
        "error",
        "verify-request",
    ];
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let acme = Provider::start(&time);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let mails = Mailbox::default();
        let auth = builder(&time)
            .dialect(dialect)
            .store(store)
            .provider(oidc("acme", &acme))
            .provider(credentials())
            .provider(Email::new(mails.clone()))
            .build()
            .unwrap();
        for destination in ["image", "iframe", "script", "document", "empty"] {
            let mut victim = browser(&auth)
                .with_header("sec-fetch-site", "cross-site")
                .with_header("sec-fetch-dest", destination)
                .with_header("sec-purpose", "prefetch");
            // A browser that has been here before.
            victim.csrf_token().await;
            for path in PATHS {
                let case = format!("{dialect}, {destination}: {path}");
                let answer = victim.get(&format!("/api/auth/{path}")).await;
                assert!(!is_session(&answer), "{case}");
                let to = answer.header("location").unwrap_or_default();
                assert!(!to.starts_with(&acme.issuer), "{case}: {to}");
                assert_eq!(victim.who().await, "nobody", "{case}");
            }
        }
        assert!(acme.seen("/token").is_empty() && mails.take().is_empty(), "{dialect}");
    }
}
