//! Requests that somebody else makes a browser send: rows S68 and S69 of `docs/security.md`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::{Method, StatusCode};
use portcullis::{BoxError, Dialect, Event, JwtContext, Trigger};

use crate::support::{App, Browser, ManualClock, NOW, ORIGIN, builder, whoami};

/// An application that counts what happens to it: sign-ins, tries at them, updates and sign-outs.
struct Counted {
    app: App,
    effects: Arc<AtomicUsize>,
    dialect: Dialect,
}

impl Counted {
    fn new(dialect: Dialect) -> Self {
        let effects = Arc::new(AtomicUsize::new(0));
        let (updates, events) = (effects.clone(), effects.clone());
        let builder = builder(&ManualClock::at(NOW)).dialect(dialect);
        let auth = builder
            .on_jwt(move |JwtContext { token, trigger, .. }| {
                updates.fetch_add(usize::from(trigger == Some(Trigger::Update)), Ordering::SeqCst);
                async { Ok::<_, BoxError>(Some(token)) }
            })
            .on_event(move |event| {
                events.fetch_add(usize::from(!matches!(event, Event::Session { .. })), Ordering::SeqCst);
                async { Ok::<_, BoxError>(()) }
            })
            .build();
        Self { app: whoami(auth.unwrap()), effects, dialect }
    }

    /// Somebody who is signed in, and their CSRF token.
    async fn signed_in(&self) -> (Browser, String) {
        let mut browser = Browser::new(self.app.clone());
        browser.sign_in("jsmith", "hunter2").await;
        let token = browser.csrf_token().await;
        self.effects.store(0, Ordering::SeqCst);
        (browser, token)
    }

    fn cookie(&self, name: &str) -> String {
        format!("{}.{name}", if self.dialect == Dialect::V5 { "authjs" } else { "next-auth" })
    }

    fn effects(&self) -> usize {
        self.effects.swap(0, Ordering::SeqCst)
    }

    /// The posts that change something.
    fn posts(&self) -> Vec<&'static str> {
        let mut posts = vec!["/api/auth/callback/credentials", "/api/auth/signout"];
        if self.dialect != Dialect::V3 {
            posts.push("/api/auth/session");
        }
        posts
    }
}

fn form(token: Option<&str>) -> Vec<(&str, &str)> {
    let mut fields = vec![("username", "admin"), ("password", "hunter2"), ("json", "true"), ("data", "x")];
    fields.extend(token.map(|token| ("csrfToken", token)));
    fields
}

#[tokio::test]
async fn s68_only_the_token_of_this_browser_will_do() {
    for dialect in Dialect::ALL {
        let site = Counted::new(dialect);
        let csrf = site.cookie("csrf-token");
        let (victim, token) = site.signed_in().await;
        let own = victim.jar[&csrf].clone();
        let (other, other_token) = Counted::new(dialect).signed_in().await;
        let others = other.jar[&csrf].clone();
        let forged_token = "ab".repeat(32);
        let forged = format!("{forged_token}%7C{}", "cd".repeat(32));
        let unsealed = format!("{token}%7C");
        let cases: [(&str, Option<&str>, Option<&str>); 10] = [
            ("no token", Some(&own), None),
            ("an empty token", Some(&own), Some("")),
            ("no cookie", None, Some(&token)),
            ("the token of another browser", Some(&own), Some(&other_token)),
            ("the cookie of another browser", Some(&others), Some(&token)),
            ("a forged hash", Some(&forged), Some(&forged_token)),
            ("no hash", Some(&unsealed), Some(&token)),
            ("a token alone", Some(&token), Some(&token)),
            ("cookie and hash as the token", Some(&own), Some(&own)),
            ("a token cut short", Some(&own), Some(&token[..63])),
        ];
        for uri in site.posts() {
            for (case, cookie, posted) in &cases {
                let mut browser = victim.clone();
                browser.jar.remove(&csrf);
                if let Some(cookie) = cookie {
                    browser = browser.with_cookie(&csrf, cookie);
                }
                browser.post(uri, &form(*posted)).await;
                assert_eq!(site.effects(), 0, "{dialect} {uri}: {case}");
                assert_eq!(browser.who().await, "1", "{dialect} {uri}: {case}");
            }
            let mut browser = victim.clone();
            browser.post(uri, &form(Some(&token))).await;
            assert_eq!(site.effects(), 1, "{dialect} {uri}: its own token");
        }
    }
}

/// A sibling domain sets a second CSRF cookie, whose token it knows and whose hash it cannot make; and a form
/// says the token twice, or not as text.
#[tokio::test]
async fn s68_tossed_cookies_and_odd_tokens() {
    for dialect in Dialect::ALL {
        let site = Counted::new(dialect);
        let csrf = site.cookie("csrf-token");
        let (victim, token) = site.signed_in().await;
        let tossed = format!("{csrf}={0}%7C{0}", "ef".repeat(32));
        for uri in site.posts() {
            for tossed_first in [true, false] {
                let mut browser = victim.clone();
                let own: Vec<_> =
                    std::mem::take(&mut browser.jar).into_iter().map(|(k, v)| format!("{k}={v}")).collect();
                let own = own.join("; ");
                let line = if tossed_first { format!("{tossed}; {own}") } else { format!("{own}; {tossed}") };
                browser.with_header("cookie", &line).post(uri, &form(Some(&"ef".repeat(32)))).await;
                assert_eq!(site.effects(), 0, "{dialect} {uri}: tossed first {tossed_first}");
            }
            let mut twice = form(Some(&token));
            twice.push(("csrfToken", &token));
            victim.clone().post(uri, &twice).await;
            for token in [format!("[\"{token}\"]"), "true".to_owned(), "null".to_owned(), "{}".to_owned()] {
                let body = format!(r#"{{"csrfToken":{token},"username":"admin","password":"hunter2"}}"#);
                victim.clone().send(Method::POST, uri, Some("application/json"), body.into()).await;
            }
            assert_eq!(site.effects(), 0, "{dialect} {uri}");
        }
    }
}

/// A link, a picture or a prefetch changes nothing, whatever it carries.
#[tokio::test]
async fn s68_no_get_changes_anything() {
    for dialect in Dialect::ALL {
        let site = Counted::new(dialect);
        let (victim, token) = site.signed_in().await;
        for action in
            ["signout", "signin", "signin/credentials", "callback/credentials", "session", "csrf", "error"]
        {
            for method in [Method::GET, Method::HEAD] {
                let uri = format!(
                    "/api/auth/{action}?csrfToken={token}&username=admin&password=hunter2&json=true&data=x"
                );
                let mut browser = victim.clone();
                browser.send(method.clone(), &uri, None, Default::default()).await;
                assert_eq!(site.effects(), 0, "{dialect} {method} {action}");
                assert_eq!(browser.who().await, "1", "{dialect} {method} {action}");
            }
        }
    }
}

/// With the right CSRF token, so that nothing but the check of the headers can refuse.
#[tokio::test]
async fn s69_posts_of_other_sites_are_refused() {
    let sibling = "http://evil.localhost:3000";
    let cases = [
        (None, None, true),
        (Some("same-origin"), None, true),
        (Some("same-origin"), Some(ORIGIN), true),
        (Some("none"), None, true),
        (None, Some(ORIGIN), true),
        (Some("same-site"), Some(sibling), false),
        (Some("same-site"), None, false),
        (Some("cross-site"), Some("https://evil.example"), false),
        (Some("cross-site"), Some("null"), false),
        (Some("cross-site"), None, false),
        (Some("SAME-ORIGIN"), None, false),
        (Some("same-origin, cross-site"), None, false),
        (None, Some("null"), false),
        (None, Some(sibling), false),
        (None, Some("https://evil.example"), false),
        (None, Some("https://localhost:3000"), false),
        (None, Some("http://localhost:3001"), false),
        (None, Some("http://localhost:3000.evil.example"), false),
        (None, Some("http://localhost:3000@evil.example"), false),
    ];
    for dialect in Dialect::ALL {
        let site = Counted::new(dialect);
        let (victim, token) = site.signed_in().await;
        for uri in site.posts() {
            for (fetch_site, origin, passes) in cases {
                let about = format!("{dialect} {uri}: {fetch_site:?} {origin:?}");
                let mut browser = victim.clone();
                for (name, value) in [("sec-fetch-site", fetch_site), ("origin", origin)] {
                    browser =
                        value.into_iter().fold(browser, |browser, value| browser.with_header(name, value));
                }
                let answer = browser.post(uri, &form(Some(&token))).await;
                assert_eq!(answer.status == StatusCode::FORBIDDEN, !passes, "{about}");
                assert_eq!(site.effects(), usize::from(passes), "{about}");
                assert!(passes || answer.cookies().is_empty(), "{about}");
            }
        }
    }
}

/// Content types that a page of another site may send without asking (the Fetch standard's "CORS-safelisted") carry
/// no JSON, whatever they are made to look like.
#[tokio::test]
async fn s69_json_only_with_its_content_type() {
    for dialect in Dialect::ALL {
        let site = Counted::new(dialect);
        let (victim, token) = site.signed_in().await;
        let body = format!(
            r#"{{"csrfToken":"{token}","username":"admin","password":"hunter2","data":{{}},"x":"="}}"#
        );
        for (content_type, effects) in [
            (Some("text/plain"), 0),
            (Some("text/plain; charset=utf-8"), 0),
            (Some("text/plain; application/json"), 0),
            (Some("text/plain;a=application/json"), 0),
            (Some("multipart/form-data; boundary=application/json"), 0),
            (Some("application/x-www-form-urlencoded"), 0),
            (None, 0),
            (Some("application/json"), 1),
            (Some("Application/JSON; charset=utf-8"), 1),
        ] {
            for uri in site.posts() {
                victim.clone().send(Method::POST, uri, content_type, body.clone().into()).await;
                assert_eq!(site.effects(), effects, "{dialect} {uri}: {content_type:?}");
            }
        }
    }
}

/// Nobody is signed in to somebody else's account by a form that their browser was made to post.
#[tokio::test]
async fn s69_no_first_login_without_cookies() {
    for dialect in Dialect::ALL {
        let site = Counted::new(dialect);
        let (_, attackers_token) = site.signed_in().await;
        let mut victim = Browser::new(site.app.clone());
        victim.post("/api/auth/callback/credentials", &form(Some(&attackers_token))).await;
        assert_eq!((site.effects(), victim.who().await.as_str()), (0, "nobody"), "{dialect}");
    }
}
