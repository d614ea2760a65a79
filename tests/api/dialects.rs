//! Several dialects at once, mounts, and other codecs.

use http::StatusCode;
use portcullis::{CookieKind, CookieOptions, Dialect, OriginPolicy, Secret};

use crate::support::{Browser, DAY, ManualClock, NOW, SECRET, builder, whoami};

const V4_COOKIE: &str = "next-auth.session-token";
const V5_COOKIE: &str = "authjs.session-token";

/// A running site moves from v4 to v5: sessions stay, and are rewritten at the next renewal.
#[tokio::test]
async fn a_site_moves_to_the_next_dialect() {
    let clock = ManualClock::at(NOW);
    let mut old = Browser::new(whoami(builder(&clock).build().unwrap()));
    old.sign_in("jsmith", "hunter2").await;
    let moved = builder(&clock).dialect(Dialect::V5).accept(Dialect::V4).build().unwrap();
    let mut browser = Browser::new(whoami(moved)).with_cookie(V4_COOKIE, &old.jar[V4_COOKIE]);

    let answer = browser.get("/").await;
    assert_eq!(answer.text(), "1");
    assert!(answer.cookie(V5_COOKIE).is_some(), "the session is rewritten at once");
    assert_eq!(answer.cookie(V4_COOKIE).unwrap().value(), "", "the old cookie goes");
    assert!(!browser.jar.contains_key(V4_COOKIE));
    assert_eq!(browser.who().await, "1");
}

/// v3 and v4 share the cookie's name: it is read either way, and set or removed once.
#[tokio::test]
async fn dialects_that_share_a_name() {
    let clock = ManualClock::at(NOW);
    let mut old = Browser::new(whoami(builder(&clock).dialect(Dialect::V3).build().unwrap()));
    old.sign_in("jsmith", "hunter2").await;
    let moved = builder(&clock).dialect(Dialect::V4).accept(Dialect::V3).build().unwrap();
    let mut browser = Browser::new(whoami(moved)).with_cookie(V4_COOKIE, &old.jar[V4_COOKIE]);
    let names = |answer: &crate::support::Answer| -> Vec<String> {
        answer.cookies().iter().map(|cookie| cookie.name().to_owned()).collect()
    };
    let renewed = browser.get("/").await;
    assert_eq!((renewed.text().as_str(), names(&renewed)), ("1", vec![V4_COOKIE.to_owned()]));
    assert_eq!(browser.who().await, "1");
    let left = browser.sign_out().await;
    assert_eq!(names(&left).iter().filter(|name| *name == V4_COOKIE).count(), 1);
}

/// Without `accept` a token of another dialect is nobody, in both directions.
#[tokio::test]
async fn dialects_do_not_open_each_other() {
    let clock = ManualClock::at(NOW);
    for (made, read) in [
        (Dialect::V4, Dialect::V5),
        (Dialect::V5, Dialect::V4),
        (Dialect::V3, Dialect::V4),
        (Dialect::V4, Dialect::V3),
    ] {
        let mut maker = Browser::new(whoami(builder(&clock).dialect(made).build().unwrap()));
        maker.sign_in("jsmith", "hunter2").await;
        let name = |dialect| if dialect == Dialect::V5 { V5_COOKIE } else { V4_COOKIE };
        let reader = whoami(builder(&clock).dialect(read).build().unwrap());
        let mut browser = Browser::new(reader).with_cookie(name(read), &maker.jar[name(made)]);
        assert_eq!(browser.who().await, "nobody", "{made} read as {read}");
    }
}

#[tokio::test]
async fn every_dialect_signs_in_renews_and_signs_out() {
    for dialect in Dialect::ALL {
        let clock = ManualClock::at(NOW);
        let mut browser = Browser::new(whoami(builder(&clock).dialect(dialect).build().unwrap()));
        assert_eq!(browser.sign_in("jsmith", "hunter2").await.status, StatusCode::OK, "{dialect}");
        clock.advance(2 * DAY);
        assert_eq!(browser.session().await["user"]["email"], "jsmith@example.com", "{dialect}");
        clock.advance(29 * DAY);
        assert_eq!(browser.who().await, "1", "{dialect}");
        browser.sign_out().await;
        assert_eq!(browser.who().await, "nobody", "{dialect}");
    }
}

/// The endpoints below a mount, whether the router in front strips it or not.
#[tokio::test]
async fn below_a_mount() {
    let clock = ManualClock::at(NOW);
    let url = "https://app.example/custom-route/api/auth";
    for (mounted_at, local) in [("", "/custom-route/api/auth"), ("/custom-route", "/api/auth")] {
        let auth =
            builder(&clock).origin(OriginPolicy::fixed(url).unwrap()).mounted_at(mounted_at).build().unwrap();
        let mut browser = Browser::new(whoami(auth));
        let providers = browser.get(&format!("{local}/providers")).await.json();
        assert_eq!(providers["credentials"]["signinUrl"], format!("{url}/signin/credentials"));
        let other = if mounted_at.is_empty() { "/api/auth/csrf" } else { "/custom-route/api/auth/csrf" };
        assert_eq!(browser.get(other).await.text(), "nobody", "only one path is the endpoints'");
    }
}

#[tokio::test]
async fn another_name_and_domain() {
    let clock = ManualClock::at(NOW);
    for dialect in [Dialect::V4, Dialect::V5] {
        let options = CookieOptions::new().name("my.session").domain("example.com").path("/app");
        let auth =
            builder(&clock).dialect(dialect).cookie(CookieKind::SessionToken, options).build().unwrap();
        let mut browser = Browser::new(whoami(auth));
        let set = browser.sign_in("jsmith", "hunter2").await.cookie("my.session").unwrap();
        assert_eq!((set.domain(), set.path()), (Some("example.com"), Some("/app")));
        assert_eq!(browser.who().await, "1");
        let gone = browser.sign_out().await.cookie("my.session").unwrap();
        assert_eq!((gone.value(), gone.domain(), gone.path()), ("", Some("example.com"), Some("/app")));
    }
}

/// All problems of a configuration at once, each with its remedy.
#[test]
fn problems_are_reported_together() {
    let clock = ManualClock::at(NOW);
    let error = portcullis::Auth::builder(Secret::new("short").or_previous(SECRET))
        .origin(OriginPolicy::fixed("http://app.example").unwrap())
        .clock(clock)
        .base_path("api/auth/")
        .cookie(CookieKind::CsrfToken, CookieOptions::new().name("__Host-csrf"))
        .provider(crate::support::credentials())
        .provider(crate::support::credentials())
        .build()
        .unwrap_err();
    let text = error.to_string();
    for part in ["5 bytes", "openssl rand", "no path", "__Host-csrf", "two providers"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert!(error.problems().count() >= 4);
    assert!(!text.contains("short\""));
}
