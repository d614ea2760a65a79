//! What happens to a session after the sign-in: its end, an update, a renewal, and what somebody tried.

use portcullis::Dialect;
use serde_json::{Value, json};

use crate::pair::{Jar, Pair, browser, person, signed_in, updated, without_nulls};

#[tokio::test]
async fn a_sign_out_at_either_side_is_one_at_both() {
    for pair in Pair::all().await {
        for (there, here) in [(pair.next, pair.ours.http), (pair.ours.http, pair.next)] {
            for username in ["jsmith", "big"] {
                let mut browser = browser(here, &signed_in(there, username).await);
                pair.all_see(&browser.jar, &person(username)).await;
                browser.sign_out().await;
                assert_eq!(pair.pieces(&browser.jar), [""; 0], "{:?}", pair.setting);
                pair.all_see(&browser.jar, &Value::Null).await;
            }
        }
    }
}

#[tokio::test]
async fn an_update_at_either_side_is_read_by_both() {
    for pair in Pair::all().await {
        for (there, here) in [(pair.next, pair.ours.http), (pair.ours.http, pair.next)] {
            let (jar, mut expected) = (signed_in(there, "jsmith").await, person("jsmith"));
            let note = "long €".repeat(1000);
            let jar = updated(here, &jar, json!({ "name": "Jo", "note": note })).await;
            (expected["name"], expected["note"]) = ("Jo".into(), note.into());
            assert!(pair.pieces(&jar).len() > 1, "{:?}: {:?}", pair.setting, jar.keys());
            pair.all_see(&jar, &expected).await;

            // Back to one cookie, at the side that has not made the chunks.
            let jar = updated(there, &jar, json!({ "note": null })).await;
            expected.as_object_mut().unwrap().shift_remove("note");
            assert_eq!(pair.pieces(&jar), [pair.cookie()], "{:?}", pair.setting);
            pair.all_see(&jar, &expected).await;
        }
    }
}

#[tokio::test]
async fn a_session_renewed_at_either_side_is_read_by_both() {
    for pair in Pair::all().await {
        for (there, here) in [(pair.next, pair.ours.http), (pair.ours.http, pair.next)] {
            for username in ["jsmith", "big"] {
                let jar = signed_in(there, username).await;
                let mut browser = browser(here, &jar);
                assert_eq!(without_nulls(browser.session().await["user"].take()), person(username));
                assert_ne!(pair.token(&browser.jar), pair.token(&jar), "{:?}", pair.setting);
                pair.all_see(&browser.jar, &person(username)).await;
            }
        }
    }
}

/// The middleware of Auth.js 5 renews, too.
#[tokio::test]
async fn a_session_renewed_by_middleware_is_read_by_both() {
    for pair in Pair::all().await.into_iter().filter(|pair| pair.setting.dialect == Dialect::V5) {
        let jar = signed_in(pair.ours.http, "big").await;
        let mut browser = browser(pair.next, &jar);
        let page = browser.get("/protected").await.text();
        assert!(page.contains("big@example.com"), "{page}");
        assert_ne!(pair.token(&browser.jar), pair.token(&jar), "{:?}", pair.setting);
        pair.all_see(&browser.jar, &person("big")).await;
    }
}

#[tokio::test]
async fn a_tampered_cookie_is_nobody_to_both() {
    for pair in Pair::all().await {
        for side in pair.sides() {
            let jar = signed_in(side, "jsmith").await;
            pair.all_see(&jar, &person("jsmith")).await;
            let token = &jar[&pair.cookie()];
            // Initialisation vector, ciphertext and tag.
            for part in [2, 3, 4] {
                let at = token.match_indices('.').nth(part - 1).unwrap().0 + 4;
                let other = if &token[at..=at] == "A" { "B" } else { "A" };
                let mut tampered = token.clone();
                tampered.replace_range(at..=at, other);
                let jar = Jar::from([(pair.cookie(), tampered)]);
                pair.all_see(&jar, &Value::Null).await;
            }
            let jar = signed_in(side, "big").await;
            for piece in pair.pieces(&jar) {
                let mut jar = jar.clone();
                jar.remove(&piece);
                pair.all_see(&jar, &Value::Null).await;
            }
        }
    }
}
