//! Which secret, which scheme and which generation a cookie is of.

use portcullis::{Auth, Dialect, Secret};
use serde_json::Value;

use crate::{
    pair::{HTTP, HTTPS, Pair, browser, cookies, person, see, signed_in},
    service::{Service, site_like, verifier},
    site::Setting,
    support::SECRET,
};

const OLDER: &str = "Wq2Zr8Ls4Xc6Vb1Nm9Kj3Hg5Fd7Sa0Po";
const NEWER: &str = "Tn5Yb3Ue7Ri1Op9As4Df6Gh8Jk2Lz0Xc";

#[tokio::test]
async fn a_cookie_of_http_is_nobody_at_https() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let [http, https] = [HTTP, HTTPS].map(|origin| Setting { dialect, origin, secrets: &[SECRET] });
        let Some((http, https)) = Pair::of(http).await.zip(Pair::of(https).await) else { return };
        for (there, here) in [(&http, &https), (&https, &http)] {
            for side in there.sides() {
                let jar = signed_in(side, "jsmith").await;
                for reader in here.sides() {
                    assert_eq!(see(reader, &jar).await.user, Value::Null, "{:?}", here.setting);
                }
                // Without an origin it takes what either scheme has.
                assert_eq!(see(here.verifier.http, &jar).await.user, person("jsmith"));
            }
        }
    }
}

/// A site that went from v4 to v5 leaves cookies of v4 in browsers, which its sign-out does not remove.
#[tokio::test]
async fn a_verifier_of_one_generation_leaves_the_other_alone() {
    let [v4, v5] =
        [Dialect::V4, Dialect::V5].map(|dialect| Setting { dialect, origin: HTTP, secrets: &[SECRET] });
    let Some((before, site)) = v4.site().zip(v5.site()) else { return };
    let auth = Auth::verifier(Secret::new(SECRET)).dialects([Dialect::V5]).build().unwrap();
    let verifier = Service::start(auth).await;
    let mut browser = browser(site, &signed_in(before, "jsmith").await);
    assert_eq!(see(verifier.http, &browser.jar).await.user, Value::Null);
    browser.sign_in("admin", "hunter2").await;
    for reader in [site, verifier.http] {
        assert_eq!(see(reader, &browser.jar).await.user["email"], "admin@example.com");
    }
    browser.sign_out().await;
    for reader in [site, verifier.http] {
        assert_eq!(see(reader, &browser.jar).await.user, Value::Null);
    }
}

/// Auth.js 5 knows a list of secrets, as we do.
#[tokio::test]
async fn a_new_secret_signs_nobody_out() {
    for origin in [HTTP, HTTPS] {
        let setting = |secrets| Setting { dialect: Dialect::V5, origin, secrets };
        let Some(both) = Pair::of(setting(&[SECRET, OLDER])).await else { return };
        let Some(new) = Pair::of(setting(&[SECRET])).await else { return };
        let old = Service::start(site_like(setting(&[OLDER]))).await;
        let smith = person("jsmith");

        // Ours has made it with the old one; who has the new one alone cannot know.
        let jar = signed_in(old.http, "jsmith").await;
        both.all_see(&jar, &smith).await;
        new.all_see(&jar, &Value::Null).await;
        // Whoever has both writes with the new one.
        for side in both.sides() {
            let mut browser = browser(side, &jar);
            browser.session().await;
            new.all_see(&browser.jar, &smith).await;
            assert_eq!(see(old.http, &browser.jar).await.user, Value::Null);
            new.all_see(&signed_in(side, "jsmith").await, &smith).await;
        }
    }
}

/// next-auth 4 has one secret; those who read beside it may have more.
#[tokio::test]
async fn we_may_have_the_next_secret_before_the_site() {
    for pair in Pair::all().await {
        let ahead = Service::start(site_like(Setting { secrets: &[NEWER, SECRET], ..pair.setting })).await;
        let reader = Service::start(verifier(&[NEWER, SECRET])).await;
        let jar = signed_in(pair.next, "big").await;
        for service in [ahead, reader] {
            assert_eq!(see(service.http, &jar).await.user, person("big"), "{:?}", pair.setting);
            assert_eq!(service.grpc_user(&cookies(&jar)).await, person("big"), "{:?}", pair.setting);
        }
        // What we write with it, the site does not know yet.
        let jar = signed_in(ahead.http, "big").await;
        assert_eq!(see(pair.next, &jar).await.user, Value::Null, "{:?}", pair.setting);
    }
}
