//! Signing in at one side.

use http::Uri;
use portcullis::{Auth, OriginPolicy, Secret};
use serde_json::Value;

use crate::{
    example,
    pair::{Jar, Pair, bearer, browser, person, signed_in},
    service::Service,
    support::{self, Answer, Browser, SECRET},
};

#[tokio::test]
async fn whoever_signs_in_at_one_side_is_known_to_the_other() {
    for pair in Pair::all().await {
        pair.all_see(&Jar::new(), &Value::Null).await;
        for side in pair.sides() {
            for username in ["jsmith", "admin", "big"] {
                let jar = signed_in(side, username).await;
                let chunked = pair.pieces(&jar).len() > 1;
                assert_eq!(chunked, username == "big", "{:?}: {:?}", pair.setting, jar.keys());
                pair.all_see(&jar, &person(username)).await;
            }
            assert_eq!(pair.pieces(&signed_in(side, "nobody").await), [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_token_is_read_as_bearer() {
    for pair in Pair::all().await {
        for side in pair.sides() {
            for username in ["jsmith", "big"] {
                let headers = bearer(&pair.token(&signed_in(side, username).await));
                for service in [pair.ours, pair.verifier] {
                    assert_eq!(service.grpc_user(&headers).await, person(username), "{:?}", pair.setting);
                }
                for reader in [pair.next, pair.ours.http, pair.verifier.http] {
                    let mut browser = browser(reader, &Jar::new());
                    browser.headers = headers.clone();
                    let token = browser.get("/api/token").await.json();
                    assert_eq!(token["sub"], person(username)["id"], "{:?}", pair.setting);
                }
            }
        }
    }
}

/// `examples/beside_nextjs.rs`.
#[tokio::test]
async fn the_example_knows_the_people_of_the_site() {
    for pair in Pair::all().await {
        let auth = Auth::verifier(Secret::new(SECRET)).build().unwrap();
        let here = Browser::new(support::app(example::app(auth)));
        let mut nobody = here.clone();
        assert_eq!(nobody.get("/api/greeting").await.text(), "welcome");
        assert_eq!(nobody.get("/api/me").await.status, 401);
        assert_eq!(nobody.get("/api/admin").await.status, 401);
        for (username, name, status) in [("jsmith", "J Smith", 403), ("admin", "Zoë 日本語 🦀", 200)] {
            let mut somebody = here.clone();
            somebody.jar = signed_in(pair.next, username).await;
            assert_eq!(somebody.get("/api/greeting").await.text(), format!("welcome back, {name}"));
            assert_eq!(somebody.get("/api/me").await.json()["id"], person(username)["id"]);
            assert_eq!(somebody.get("/api/admin").await.status, status);
        }
    }
}

#[tokio::test]
async fn both_sides_send_people_to_the_same_page() {
    for pair in Pair::all().await {
        let mut pages = Vec::new();
        for side in pair.sides() {
            let answer =
                browser(side, &Jar::new()).with_header("accept", "text/html").get("/protected?a=b").await;
            assert!(answer.status.is_redirection(), "{:?}: {}", pair.setting, answer.status);
            pages.push(path_and_query(&answer));
        }
        assert_eq!(pages[0], pages[1], "{:?}", pair.setting);
        assert!(pages[0].starts_with("/api/auth/signin?"), "{}", pages[0]);
    }
}

/// From a guard of the verifier to the site's sign-in page and back.
#[tokio::test]
async fn a_verifier_sends_people_to_the_site() {
    for pair in Pair::all().await {
        let origin = pair.setting.origin;
        let auth = Auth::verifier(Secret::new(SECRET))
            .origin(OriginPolicy::fixed(origin).unwrap())
            .sign_in_page(format!("{origin}/api/auth/signin"))
            .build()
            .unwrap();
        let verifier = Service::start(auth).await;
        let here = browser(verifier.http, &Jar::new()).with_header("accept", "text/html");
        let sent_away = here.clone().get("/protected?a=b").await;

        let mut site = browser(pair.next, &Jar::new());
        let page = site.get(&path_and_query(&sent_away)).await;
        assert_eq!(page.status, 200, "{:?}: {:?}", pair.setting, sent_away.header("location"));
        let token = site.csrf_token().await;
        let fields = [("csrfToken", &*token), ("username", "jsmith"), ("password", "hunter2")];
        let sent_back = site.post("/api/auth/callback/credentials", &fields).await;
        assert_eq!(
            sent_back.header("location"),
            Some(&*format!("{origin}/protected?a=b")),
            "{:?}",
            pair.setting
        );

        let mut here = here;
        here.jar = site.jar;
        assert_eq!(here.get("/protected?a=b").await.status, 200, "{:?}", pair.setting);
    }
}

/// Where a redirect leads; the host of `withAuth` is the one it listens at.
fn path_and_query(answer: &Answer) -> String {
    let location: Uri = answer.header("location").unwrap().parse().unwrap();
    location.path_and_query().unwrap().to_string()
}
