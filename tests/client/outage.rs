//! A server whose store is away says "nobody" and leaves the cookie. Nobody is signed out by that.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    AuthLayer, Dialect, OriginPolicy,
    client::{
        Client, ClientBuilder, ClientErrorKind, CookieJar, SessionProvider,
        SessionStatus::{Authenticated, Loading, Unauthenticated},
        SignInOptions,
    },
    http_client::ServiceClient,
    store::{MemoryStore, SessionStore, Store},
};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use crate::{
    gate::Gate,
    provider::{kind, until},
    replies::{Replies, Reply, idle},
    support::{ManualClock, NOW, ORIGIN, builder},
    time::Time,
};

const SITE: &str = "https://app.example";

/// Our server, with a store that can be shut, and a visitor of it.
struct Site {
    gate: Gate,
    store: Arc<dyn Store>,
    time: Time,
    client: Client,
}

impl Site {
    fn new(dialect: Dialect, url: &str, told: bool) -> Self {
        let (time, store): (_, Arc<dyn Store>) = (Time::at_noon(), Arc::new(MemoryStore::new()));
        let gate = Gate::new(Arc::clone(&store));
        let auth = builder(&ManualClock::at(NOW)).clock(time.clone()).dialect(dialect);
        let auth = auth.origin(OriginPolicy::fixed(url).unwrap()).store(gate.clone());
        let handler = service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        });
        let app = AuthLayer::new(auth.build().unwrap()).layer(handler);
        let client = Client::builder(url).clock(time.clone()).http_client(ServiceClient::new(app));
        let client = if told { client.dialect(dialect) } else { client };
        Self { gate, store, time, client: client.build().unwrap() }
    }

    async fn sign_in(&self) {
        let form = SignInOptions::new().field("username", "jsmith").field("password", "hunter2");
        assert_eq!(self.client.sign_in("credentials", form, &[]).await.unwrap().error(), None);
    }

    /// Ends the session at the server alone.
    async fn end(&self) {
        let user = self.store.user_by_account("credentials", "1").await.unwrap().unwrap();
        assert_eq!(self.store.end_sessions_of(&user.id, None).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_server_without_its_store_signs_nobody_out() {
    for dialect in Dialect::ALL {
        for (url, told) in [(ORIGIN, true), (ORIGIN, false), (SITE, true), (SITE, false)] {
            let case = format!("{dialect} {url} {told}");
            let site = Site::new(dialect, url, told);
            assert_eq!(site.client.get_session().await.unwrap(), None, "{case}");
            site.sign_in().await;

            site.gate.fail();
            let error = site.client.get_session().await.expect_err(&case);
            assert_eq!(error.kind(), ClientErrorKind::Unavailable, "{case}");
            assert!(error.to_string().contains("store may be away"), "{error}");
            for data in [Some(json!({ "name": "Jane" })), None].into_iter().filter(|_| dialect != Dialect::V3)
            {
                let error = site.client.update(data).await.expect_err(&case);
                assert_eq!(error.kind(), ClientErrorKind::Unavailable, "{case}");
            }

            site.gate.open();
            let session = site.client.get_session().await.unwrap().expect(&case);
            assert_eq!(session.user.name.as_deref(), Some("J Smith"), "{case}");
            site.end().await;
            assert_eq!(site.client.get_session().await.unwrap(), None, "that is certain: {case}");
            assert_eq!(site.client.get_session().await.unwrap(), None, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_keeps_its_session_until_the_store_is_back() {
    for dialect in Dialect::ALL {
        let site = Site::new(dialect, ORIGIN, true);
        site.sign_in().await;
        let pages = Arc::new(Mutex::new(Vec::new()));
        let opened = Arc::clone(&pages);
        let provider =
            SessionProvider::builder(site.client.clone()).refetch_interval(Duration::from_secs(60));
        let provider = provider.required(move |url: &str| opened.lock().unwrap().push(url.to_owned()));
        let provider = provider.start().unwrap();
        until(&provider, Authenticated).await;

        site.gate.fail();
        for _ in 0..3 {
            site.time.pass(60);
            idle().await;
            let state = provider.state();
            assert_eq!((state.status, kind(&state)), (Authenticated, Some(ClientErrorKind::Unavailable)));
            assert_eq!(state.data.unwrap().user.name.as_deref(), Some("J Smith"));
        }
        site.gate.open();
        site.time.pass(60);
        idle().await;
        let state = provider.state();
        assert_eq!((state.status, kind(&state)), (Authenticated, None), "it goes on by itself");
        assert!(pages.lock().unwrap().is_empty(), "nobody has to sign in");

        site.end().await;
        site.time.pass(60);
        idle().await;
        assert_eq!((provider.state().status, pages.lock().unwrap().len()), (Loading, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_starts_meanwhile_calls_nobody() {
    let site = Site::new(Dialect::V5, SITE, false);
    site.sign_in().await;
    site.gate.fail();
    let is_called = Arc::new(AtomicBool::new(false));
    let called = Arc::clone(&is_called);
    let provider = SessionProvider::builder(site.client.clone());
    let provider = provider.required(move |_: &str| called.store(true, Ordering::Relaxed)).start().unwrap();
    let state = until(&provider, Unauthenticated).await;
    assert_eq!(kind(&state), Some(ClientErrorKind::Unavailable));
    site.gate.open();
    provider.focus().await;
    assert_eq!(provider.state().status, Authenticated);
    assert!(!is_called.load(Ordering::Relaxed));
}

/// What the servers of npm do with the cookie, and what others may.
#[tokio::test]
async fn nobody_is_certain_unless_the_cookie_is_left() {
    const V4: &str = "next-auth.session-token=t; Path=/";
    const V5: &str = "authjs.session-token=t; Path=/";
    const V4_SECURE: &str = "__Secure-next-auth.session-token=t; Path=/; Secure";
    const V5_SECURE: &str = "__Secure-authjs.session-token=t; Path=/; Secure";
    let (empty, null) = (json!({}), Value::Null);
    let (told_v3, told_v4, told_v5) = (Some(Dialect::V3), Some(Dialect::V4), Some(Dialect::V5));
    for (url, told, sent, body, answered, certain) in [
        (ORIGIN, told_v3, &[V4][..], &empty, &[][..], false),
        (ORIGIN, told_v4, &[V4], &empty, &[], false),
        (ORIGIN, told_v5, &[V5], &null, &[], false),
        (ORIGIN, None, &[V4], &empty, &[], false),
        (ORIGIN, None, &[V5], &null, &[], false),
        (SITE, None, &[V4_SECURE], &empty, &[], false),
        (SITE, None, &[V5_SECURE], &null, &[], false),
        // Other cookies say nothing.
        (ORIGIN, None, &[V4], &empty, &["next-auth.callback-url=x; Path=/"], false),
        // Removed as each generation does it, or written anew where a callback has left nothing of the session.
        (ORIGIN, None, &[V4], &empty, &["next-auth.session-token=; Max-Age=0; Path=/; HttpOnly"], true),
        (ORIGIN, None, &[V5], &null, &["authjs.session-token=; Max-Age=0; Path=/; HttpOnly"], true),
        (SITE, None, &[V5_SECURE], &null, &["__Secure-authjs.session-token=; Max-Age=0; Secure"], true),
        (ORIGIN, None, &[V4], &empty, &["next-auth.session-token=u; Path=/; HttpOnly"], true),
        // A long session is in several.
        (
            ORIGIN,
            None,
            &["authjs.session-token.0=t; Path=/", "authjs.session-token.1=u; Path=/"],
            &null,
            &[],
            false,
        ),
        (
            ORIGIN,
            None,
            &["authjs.session-token.0=t; Path=/"],
            &null,
            &["authjs.session-token.0=; Max-Age=0"],
            true,
        ),
        // next-auth 3 does not split it, and looks at no such cookie.
        (ORIGIN, told_v3, &["next-auth.session-token.0=t; Path=/"], &empty, &[], true),
        // No session is in there.
        (ORIGIN, None, &[], &empty, &[], true),
        (ORIGIN, None, &["next-auth.session-token=; Path=/"], &empty, &[], true),
        (ORIGIN, None, &["next-auth.session-token.1=t; Path=/"], &empty, &[], true),
        (ORIGIN, None, &["next-auth.session-token-of-another=t; Path=/"], &empty, &[], true),
        // Servers do not see the cookies of another generation, of another scheme, or with a name of the site's own.
        (ORIGIN, None, &[V4], &null, &[], true),
        (ORIGIN, None, &[V5], &empty, &[], true),
        (ORIGIN, told_v5, &[V4], &null, &[], true),
        (ORIGIN, told_v4, &[V5], &empty, &[], true),
        (SITE, None, &[V4], &empty, &[], true),
        (ORIGIN, None, &["session=t; Path=/"], &empty, &[], true),
    ] {
        let case = format!("{url} {told:?} {sent:?} {body} {answered:?}");
        let replies = Replies::new();
        let jar = CookieJar::new();
        let client = || -> ClientBuilder {
            let client = Client::builder(url).jar(jar.clone()).http_client(replies.http());
            told.into_iter().fold(client, ClientBuilder::dialect)
        };
        let given = sent.iter().fold(Reply::json(&json!({})), |reply, cookie| reply.with_cookie(cookie));
        replies.set("providers", given);
        client().build().unwrap().get_providers().await.unwrap();

        let reply = answered.iter().fold(Reply::json(body), |reply, cookie| reply.with_cookie(cookie));
        replies.set("session", reply.clone());
        replies.set("POST session", reply);
        let client = client().build().unwrap();
        let session = client.get_session().await;
        assert_eq!(session.is_ok(), certain, "{case}");
        if let Err(error) = session {
            assert_eq!(error.kind(), ClientErrorKind::Unavailable, "{case}");
            assert_eq!(replies.last().endpoint(), "session", "it is asked nothing more: {case}");
        }
    }
}
