//! What is written down of a sign-in at a provider: row S81 of `docs/security.md`.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use portcullis::{
    Auth, Dialect, OAuth, Profile, Quirks, RevocationPolicy,
    store::{MemoryStore, Store},
};
use serde_json::json;
use tracing::Level;

use crate::{
    form_post,
    logout::logout_token,
    provider::{Break, CLIENT, CLIENT_SECRET, Provider, Reply, signed_as},
    site::{at_provider, begin, browser, builder, oidc, params, sign_in, with_params},
    support::{Browser, log::Log},
    time::Time,
};

/// In what a provider differs that signs nobody in, with something in its answers that is nobody's business.
const FAULTS: &[Break] = &[
    ("no JSON", |plan| plan.token = |_| Reply::of(200, "application/json", "canary-token: {")),
    ("a page", |plan| plan.token = |_| Reply::of(200, "text/html", "<p>canary-token")),
    ("text", |plan| plan.token = |_| Reply::json(json!("canary-token"))),
    ("a token that is none", |plan| {
        plan.token = |_| Reply::json(json!({ "access_token": { "canary-token": 1 } }))
    }),
    ("an ID token that is none", |plan| {
        plan.token = |mut answer| {
            answer["id_token"] = "canary-token.canary-token.canary-token".into();
            Reply::json(answer)
        }
    }),
    ("an ID token with another signature", |plan| {
        plan.token = |mut answer| {
            answer["id_token"] = format!("{}canary-token", answer["id_token"].as_str().unwrap()).into();
            Reply::json(answer)
        }
    }),
    ("an access token that fits no header", |plan| {
        plan.token = |mut answer| {
            answer["access_token"] = "canary-token\n".into();
            Reply::json(answer)
        };
        plan.claims = |mut claims| {
            claims.as_object_mut().unwrap().remove("at_hash");
            claims
        };
        plan.userinfo = |_| Reply::error(401, "invalid_token");
    }),
    ("an access token of another ID token", |plan| {
        plan.token = |mut answer| {
            answer["access_token"] = "canary-token".into();
            Reply::json(answer)
        }
    }),
    ("an ID token of another sign-in", |plan| {
        plan.claims = |mut claims| {
            claims["nonce"] = "canary-nonce".into();
            claims
        }
    }),
    ("an ID token that has ended", |plan| {
        plan.claims = |mut claims| {
            claims["exp"] = "canary-time".into();
            claims
        }
    }),
    ("an ID token of another key", |plan| {
        plan.sign = |claims| signed_as(&json!({ "alg": "EdDSA", "kid": "canary-key" }), claims);
    }),
    ("a profile that is none", |plan| plan.userinfo = |_| Reply::json(json!(["canary-profile"]))),
    ("a profile that is no JSON", |plan| {
        plan.userinfo = |_| Reply::of(200, "application/json", "{\"canary-profile\"");
    }),
    ("a profile of somebody else", |plan| plan.userinfo = |_| Reply::json(json!({ "sub": "canary-other" }))),
    ("no profile", |plan| plan.userinfo = |_| Reply::HangUp),
    ("a refusal", |plan| plan.token = |_| Reply::error(400, "invalid_grant")),
    ("a provider that is down", |plan| plan.token = |_| Reply::HangUp),
    ("a profile that is cut off", |plan| plan.userinfo = |_| Reply::Cut("{\"sub\": \"canary-profile")),
];

struct World {
    time: Time,
    acme: Provider,
    log: Log,
    /// What nobody may find in the log.
    private: Vec<String>,
}

impl World {
    fn new(log: &Log) -> Self {
        let time = Time::at_noon();
        let acme = Provider::start(&time);
        let world =
            Self { time, acme, log: log.clone(), private: vec![CLIENT_SECRET.into(), "canary".into()] };
        world.plan(|_| {});
        world
    }

    /// A good provider, but for this.
    fn plan(&self, change: fn(&mut crate::provider::Plan)) {
        self.acme.plan(|plan| {
            plan.user = json!({
                "sub": "subject-1",
                "name": "Canary-Name canary-name",
                "email": "canary-address@example.com",
                "sid": "canary-sid",
            });
            plan.token = with_refresh_token;
            plan.discovery = |mut document| {
                document["end_session_endpoint"] =
                    format!("{}/end", document["issuer"].as_str().unwrap()).into();
                Reply::json(document)
            };
            change(plan);
        });
    }

    /// Nothing is kept from what callbacks are given, and all of it is printed.
    fn auth(&self, dialect: Dialect, store: &Arc<MemoryStore>, acme: OAuth) -> Auth {
        let profile = self.log.clone();
        let acme = acme.profile(move |given: &Profile| {
            profile.debug(given);
            let user = portcullis::User::new(given.text("/sub").unwrap_or_default());
            Ok(user.name("canary-name").email("canary-address@example.com"))
        });
        let builder = builder(&self.time)
            .dialect(dialect)
            .store(Arc::clone(store) as Arc<dyn Store>)
            .sessions_in_tokens(true)
            .revocation(Arc::clone(store), RevocationPolicy::within(Duration::from_secs(1)).unwrap())
            .provider(acme);
        self.log.site(builder)
    }

    /// Begins a sign-in, and answers where the provider sends the browser back to.
    async fn back(&mut self, browser: &mut Browser) -> String {
        let url = begin(browser, "acme").await.unwrap();
        let back = at_provider(&url).await;
        for (name, value) in params(&url).into_iter().chain(params(&back)) {
            if ["state", "nonce", "code_challenge", "code"].contains(&&*name) {
                self.private.push(value);
            }
        }
        self.private.extend(browser.jar.values().cloned());
        back
    }

    fn learn(&mut self, browser: &Browser) {
        self.private.extend(browser.jar.values().cloned());
        self.private.extend(self.acme.issued());
        for mut seen in self.acme.seen("/token") {
            self.private
                .extend(["code_verifier", "refresh_token"].iter().filter_map(|name| seen.form.remove(*name)));
        }
    }

    #[track_caller]
    fn is_silent(&self, dialect: Dialect, logged: &[&str]) {
        let text = self.log.text();
        for words in logged {
            assert!(text.contains(words), "{dialect}: nothing was captured of {words:?}: {text}");
        }
        let private = self.private.iter().filter(|value| value.len() > 5 && !value.starts_with("http"));
        assert!(private.clone().count() > 10);
        for value in private {
            let line = text.lines().find(|line| line.contains(value));
            assert!(line.is_none(), "{dialect}: {value} stands in {line:?}");
        }
    }
}

fn with_refresh_token(mut answer: serde_json::Value) -> Reply {
    answer["refresh_token"] = format!("refresh-of-{}", answer["access_token"].as_str().unwrap()).into();
    Reply::json(answer)
}

/// S81: of a sign-in, of the session that it begins, of refreshes and of both ways to sign out there.
#[tokio::test]
async fn s81_nothing_of_a_sign_in_is_logged() {
    for dialect in Dialect::ALL {
        let (log, guard) = Log::of(Level::TRACE);
        let mut world = World::new(&log);
        let store = Arc::new(MemoryStore::new());
        let auth =
            world.auth(dialect, &store, oidc("acme", &world.acme).reading_userinfo().federated_logout());
        let mut here = browser(&auth);
        let back = world.back(&mut here).await;
        here.get(&back).await;
        let who = here.who().await;
        assert_ne!(who, "nobody");
        here.session().await;
        world.learn(&here);
        // It is used up.
        here.clone().get(&back).await;
        // New tokens: as long as they are good, once they are over, and once nothing is good any more.
        for (wait, is_good) in [(0, true), (3600, true), (3600, false)] {
            world.time.pass(wait);
            if !is_good {
                world.plan(|plan| plan.token = |_| Reply::error(400, "invalid_grant"));
            }
            let token = auth.provider_token(&who, "acme").await;
            assert_eq!(token.is_ok(), is_good, "{dialect}: {token:?}");
            log.debug(&token);
            world.learn(&here);
        }
        world.plan(|_| {});
        // The user signs in once more, and out.
        sign_in(&mut here, "acme").await;
        world.learn(&here);
        let token = here.csrf_token().await;
        let answer = here.post("/api/auth/signout", &[("csrfToken", &*token)]).await;
        assert!(answer.header("location").unwrap().contains("id_token_hint="), "{dialect}: {answer:?}");
        // The provider tells of a logout, too: with no token, another one, a good one, and that once more.
        let claims = json!({
            "iss": world.acme.issuer,
            "aud": CLIENT,
            "iat": world.time.now(),
            "exp": world.time.now() + 120,
            "jti": "canary-jti",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            "sub": "subject-1",
            "sid": "canary-sid",
        });
        let good = logout_token(&claims);
        let another = signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519" }), &claims);
        for token in ["canary.canary.canary", &another, &good[..good.len() - 2], &good, &good] {
            let mut provider = browser(&auth);
            provider.post("/api/auth/backchannel-logout/acme", &[("logout_token", token)]).await;
            world.private.push(token.to_owned());
        }
        drop(guard);
        let logged = ["the discovery document was read", "a refresh token is not taken", "a logout that"];
        world.is_silent(dialect, &logged[..]);
    }
}

/// S81: of one that fails, wherever it does.
#[tokio::test]
async fn s81_nothing_of_a_sign_in_that_fails_is_logged() {
    for dialect in Dialect::ALL {
        let (log, guard) = Log::of(Level::TRACE);
        let mut world = World::new(&log);
        let store = Arc::new(MemoryStore::new());
        let acme = oidc("acme", &world.acme).reading_userinfo();
        // Where the access token has to go into the URL, it is in no message about that URL.
        let mut quirks = Quirks::NONE;
        quirks.token_in_query = Some("access_token");
        let in_url = acme.clone().quirks(quirks);
        for acme in [acme, in_url] {
            let auth = world.auth(dialect, &store, acme);
            for (case, fault) in FAULTS {
                world.plan(*fault);
                let mut browser = browser(&auth);
                let back = world.back(&mut browser).await;
                browser.get(&back).await;
                assert_eq!(browser.who().await, "nobody", "{dialect}: {case}");
                world.learn(&browser);
            }
            world.plan(|_| {});
            for (name, value) in [("state", "canary-state"), ("code", ""), ("iss", "https://other.example")] {
                let mut browser = browser(&auth);
                let back = world.back(&mut browser).await;
                let changed = with_params(&back, |mut params| {
                    params.retain(|(known, _)| known != name);
                    params.push((name.to_owned(), value.to_owned()));
                    params
                });
                browser.get(&changed).await;
                assert_eq!(browser.who().await, "nobody", "{dialect}: {name}");
            }
        }
        drop(guard);
        world.is_silent(
            dialect,
            &["the answer is no JSON", "at_hash", "the userinfo endpoint", "another issuer"],
        );
    }
}

/// S81: of an answer that is posted, and of what else cannot be read.
#[tokio::test]
async fn s81_nothing_of_a_posted_answer_is_logged() {
    for dialect in Dialect::ALL {
        let (log, guard) = Log::of(Level::TRACE);
        let mut world = World::new(&log);
        let store = Arc::new(MemoryStore::new());
        let auth = world.auth(dialect, &store, oidc("acme", &world.acme).form_post());
        for is_good in [true, false] {
            let mut browser = browser(&auth);
            let back = world.back(&mut browser).await;
            let form = format!("{}&user=canary-user", back.split_once('?').unwrap().1);
            let answer = form_post::post(&auth, "acme", "application/x-www-form-urlencoded", form).await;
            assert_eq!(answer.status, StatusCode::FOUND);
            let to = answer.header("location").unwrap().to_owned();
            world.private.extend(params(&to).into_iter().map(|(_, value)| value));
            let to = if is_good { to } else { to + "canary" };
            browser.get(&to).await;
            assert_eq!(browser.who().await != "nobody", is_good, "{dialect}");
            world.learn(&browser);
        }
        drop(guard);
        world.is_silent(dialect, &["what was posted was not sealed here"]);
    }
}
