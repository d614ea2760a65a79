//! What every composition has to do.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, StatusCode, Version, header};
use serde_json::json;

use crate::{
    client,
    composition::{Composition, Visitors},
    support::{Answer, Browser, DAY, ManualClock, ORIGIN},
};

/// The session cookie of v4, the default.
pub const SESSION: &str = "next-auth.session-token";

/// Comes as a stranger, signs in, looks around, stays for a day, signs out.
pub async fn visit(composition: &Composition, address: SocketAddr, version: Version, clock: &ManualClock) {
    let mut browser = client::browser(address, version);
    let page = format!("{}/page", composition.under);
    let guarded = format!("{}/guarded", composition.under);

    let answer = browser.get(&page).await;
    assert_eq!(answer.text(), "nobody is here, this is visit number 1");
    assert_eq!(names(&answer), ["visits", "theme"]);
    assert_eq!(browser.session().await, json!({}));
    refused(composition, &mut browser, &guarded).await;

    let answer = browser.sign_in("jsmith", "hunter2").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "url": ORIGIN })));
    let session = answer.cookie(SESSION).expect("a session");
    assert_eq!((session.http_only(), session.path()), (Some(true), Some("/")));

    let answer = browser.get(&page).await;
    assert_eq!(answer.text(), "1 is here, this is visit number 2", "the cookies of the request arrive");
    assert_eq!(names(&answer), ["visits", "theme"]);
    let vary: Vec<_> =
        answer.headers.get_all(header::VARY).iter().map(|value| value.to_str().unwrap()).collect();
    assert!(vary.join(", ").contains("cookie"), "{vary:?}");
    let answer = browser.send(Method::HEAD, &page, None, Bytes::new()).await;
    assert_eq!((answer.status, answer.header("x-who"), answer.body.len()), (StatusCode::OK, Some("1"), 0));
    assert_eq!(browser.get(&guarded).await.header("x-who"), Some("1"));
    assert_eq!(browser.session().await["user"]["email"], "jsmith@example.com");
    let sent = "something to say ".repeat(4000);
    let echo = format!("{}/echo", composition.under);
    let echoed = browser.send(Method::POST, &echo, None, sent.clone().into()).await;
    assert_eq!(echoed.text(), sent);

    renewed(&mut browser, &page, clock).await;
    renewed(&mut browser, &guarded, clock).await;
    assert_eq!(browser.session().await["user"]["name"], "J Smith");

    let answer = browser.sign_out().await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!browser.jar.contains_key(SESSION), "the session is gone");
    assert_eq!(browser.get(&page).await.text(), "nobody is here, this is visit number 9");
    refused(composition, &mut browser, &guarded).await;
}

/// A day later the layer's cookie stands beside the handler's own two.
async fn renewed(browser: &mut Browser, path: &str, clock: &ManualClock) {
    clock.advance(DAY);
    let before = browser.jar[SESSION].clone();
    let answer = browser.get(path).await;
    assert_eq!(answer.header("x-who"), Some("1"));
    assert_eq!(names(&answer), ["visits", "theme", SESSION], "renewed at {path}");
    assert_ne!(browser.jar[SESSION], before);
    let theme = answer.cookie("theme").unwrap();
    assert_eq!((theme.secure(), theme.path()), (Some(true), Some("/")), "with its attributes");
    assert!(answer.header("cache-control").unwrap().contains("no-store"));
    assert!(browser.get(path).await.cookie(SESSION).is_none(), "once a day");
}

/// The guard's two answers to somebody who has not signed in.
async fn refused(composition: &Composition, browser: &mut Browser, guarded: &str) {
    let answer = browser.get(guarded).await;
    if composition.visitors == Visitors::LostOnGuards {
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.json()["error"], "MissingAuthLayer");
        return;
    }
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"], "Unauthorized");

    let mut page = browser.clone().with_header("accept", "text/html");
    let here = format!("{guarded}?tab=1");
    let answer = page.get(&here).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    let query = [("callbackUrl", &here)];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    assert_eq!(answer.header("location"), Some(&*format!("{ORIGIN}/api/auth/signin?{query}")));
}

/// The names of the cookies that a response sets, in their order.
pub fn names(answer: &Answer) -> Vec<String> {
    answer.cookies().iter().map(|cookie| cookie.name().to_owned()).collect()
}
