//! The layer: who is there, and what a response says about it.

use http::{Method, header};

use crate::support::{Browser, DAY, ManualClock, NOW, builder, whoami};

#[tokio::test]
async fn signs_in_and_out() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(whoami(builder(&clock).build().unwrap()));
    assert_eq!(browser.who().await, "nobody");
    let answer = browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(answer.status, 200);
    assert_eq!(browser.who().await, "1");
    browser.sign_out().await;
    assert_eq!(browser.who().await, "nobody");
}

#[tokio::test]
async fn a_session_is_renewed_once_it_is_due() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(whoami(builder(&clock).build().unwrap()));
    browser.sign_in("jsmith", "hunter2").await;
    clock.advance(DAY / 2);
    assert!(browser.get("/").await.cookies().is_empty());
    clock.advance(DAY / 2);
    let renewed = browser.get("/").await;
    assert_eq!(renewed.cookies().len(), 1);
    assert!(renewed.header("cache-control").unwrap().contains("no-store"));
    clock.advance(30 * DAY - DAY / 2);
    assert_eq!(browser.who().await, "1");
}

#[tokio::test]
async fn a_response_varies_by_cookie_when_the_session_was_asked_for() {
    let clock = ManualClock::at(NOW);
    let mut browser = Browser::new(whoami(builder(&clock).build().unwrap()));
    assert_eq!(browser.get("/").await.header(header::VARY.as_str()), Some("cookie"));
    browser.sign_in("jsmith", "hunter2").await;
    assert_eq!(browser.get("/").await.header(header::VARY.as_str()), Some("cookie"));
    assert_eq!(browser.send(Method::PUT, "/api/auth/session", None, Default::default()).await.status, 400);
}
