//! Tokens and sessions against the npm packages themselves (`tests/node/tokens.mjs`): they open what we make,
//! and we open what they make.
//!
//! Needs Node and the packages of `tests/node`. Where they are missing these tests say so and test nothing,
//! unless `PORTCULLIS_REQUIRE_NODE=1` is set (as `scripts/test` does): then they fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "services/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod services;
#[allow(dead_code, reason = "shared with tests/api, which uses all of it")]
#[path = "api/support/mod.rs"]
mod support;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use portcullis::{
    Auth, BoxError, Credentials, Dialect, Field, OriginPolicy, Secret, Submitted, User,
    codec::{Codec, JweCbc, JweGcm, JwsHs512},
};
use serde_json::{Map, Value, json};
use support::{Browser, DAY, ManualClock, NOW, SECRET, whoami};

const OLDER: &str = "Wq2Zr8Ls4Xc6Vb1Nm9Kj3Hg5Fd7Sa0Po";
const ORIGINS: [&str; 2] = ["http://localhost:3000", "https://app.example"];

/// The running script.
struct Node {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Node {
    /// Nothing where Node is missing and that is allowed.
    fn start() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
        let spawned = match folder.join("node_modules").is_dir() {
            true => Command::new("node")
                .arg("tokens.mjs")
                .current_dir(&folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .map_err(|error| format!("node cannot be started ({error}): install Node 20 or newer")),
            false => Err("the packages are missing: run `scripts/test setup`".to_owned()),
        };
        match spawned {
            Ok(mut child) => {
                let requests = child.stdin.take();
                let answers = BufReader::new(child.stdout.take().unwrap());
                Some(Self { child, requests, answers })
            }
            Err(why) => {
                services::left_out_without_node(&format!(
                    "no token was held against the npm packages; {why}"
                ));
                None
            }
        }
    }

    fn ask(&mut self, question: &Value) -> Value {
        let requests = self.requests.as_mut().unwrap();
        writeln!(requests, "{question}").unwrap();
        requests.flush().unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("tokens.mjs answered {line:?}"))
    }

    /// The package's `encode`, at [`NOW`].
    fn encode(&mut self, of: &Dialect, secret: &Value, salt: &str, claims: &Value, more: Value) -> String {
        let mut question = json!({ "op": "encode", "version": of.to_string(), "secret": secret, "salt": salt,
            "claims": claims, "maxAge": 30 * 24 * 60 * 60, "now": NOW });
        question.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let answer = self.ask(&question);
        answer["token"].as_str().unwrap_or_else(|| panic!("{of}: {answer}")).to_owned()
    }

    /// The package's `decode`: `claims` or `error`.
    fn decode(&mut self, of: &Dialect, secret: &Value, salt: &str, token: &str) -> Value {
        self.ask(&json!({ "op": "decode", "version": of.to_string(), "secret": secret, "salt": salt,
            "token": token, "now": NOW }))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.requests.take()); // the script ends with its input
        let _ = self.child.wait();
    }
}

fn session_cookie(dialect: Dialect, origin: &str) -> String {
    let stem = if dialect == Dialect::V5 { "authjs" } else { "next-auth" };
    let prefix = if origin.starts_with("https") { "__Secure-" } else { "" };
    format!("{prefix}{stem}.session-token")
}

/// What the packages call the salt of a session token.
fn salt(dialect: Dialect, cookie: &str) -> &str {
    if dialect == Dialect::V5 { cookie } else { "" }
}

fn codec(dialect: Dialect, secret: &Secret, salt: &str) -> Box<dyn Codec> {
    match &*dialect.to_string() {
        "v3" => Box::new(JwsHs512::new(secret)),
        "v4" => Box::new(JweGcm::new(secret, salt)),
        _ => Box::new(JweCbc::new(secret, salt)),
    }
}

fn claims() -> Vec<Value> {
    vec![
        json!({ "sub": "1" }),
        json!({ "name": "Zoë 日本語 🦀\u{2028}", "email": "z@example.com", "picture": null, "sub": "ключ" }),
        json!({ "sub": "7", "roles": ["a", { "b": [1, 2.5, -3, true] }], "q": "\"\\\u{7}</script>" }),
        json!({ "sub": "8", "data": "x€".repeat(1500), "latin": "y".repeat(6000) }),
    ]
}

/// `claims` without what the writer added.
fn given(mut claims: Map<String, Value>) -> Value {
    for added in ["iat", "exp", "jti"] {
        claims.shift_remove(added);
    }
    Value::Object(claims)
}

#[test]
fn codecs_and_packages_open_each_other() {
    let Some(mut node) = Node::start() else { return };
    for dialect in Dialect::ALL {
        for origin in ORIGINS {
            let cookie = session_cookie(dialect, origin);
            let salt = salt(dialect, &cookie);
            let codec = codec(dialect, &Secret::new(SECRET), salt);
            for claims in claims() {
                let theirs = node.encode(&dialect, &SECRET.into(), salt, &claims, json!({}));
                let opened = codec.decode(&theirs).unwrap().claims;
                assert_eq!(given(serde_json::from_slice(&opened).unwrap()), claims, "{dialect} {cookie}");

                let mut timed = claims.clone();
                timed["iat"] = NOW.into();
                timed["exp"] = (NOW + 60).into();
                let ours = codec.encode(timed.to_string().as_bytes()).unwrap();
                let opened = node.decode(&dialect, &SECRET.into(), salt, &ours);
                assert_eq!(opened["claims"], timed, "{dialect} {cookie}: {opened}");
            }
        }
    }
}

#[test]
fn neither_side_opens_what_is_not_for_it() {
    let Some(mut node) = Node::start() else { return };
    let claims = json!({ "sub": "1", "iat": NOW, "exp": NOW + 60 });
    for made in Dialect::ALL {
        let cookie = session_cookie(made, ORIGINS[0]);
        let ours = codec(made, &Secret::new(SECRET), salt(made, &cookie));
        let ours = ours.encode(claims.to_string().as_bytes()).unwrap();
        let theirs = node.encode(&made, &SECRET.into(), salt(made, &cookie), &claims, json!({}));
        for read in Dialect::ALL {
            for (secret, origin) in [(SECRET, ORIGINS[0]), (SECRET, ORIGINS[1]), (OLDER, ORIGINS[0])] {
                let cookie = session_cookie(read, origin);
                let salt = salt(read, &cookie);
                // The cookie's name matters in v5 only.
                let same = made == read && secret == SECRET && (read != Dialect::V5 || origin == ORIGINS[0]);
                let answer = node.decode(&read, &secret.into(), salt, &ours);
                assert_eq!(answer["claims"]["sub"] == "1", same, "{made} at the package of {read}: {answer}");
                let opened = codec(read, &Secret::new(secret), salt).decode(&theirs);
                assert_eq!(opened.is_ok(), same, "{made} of the package at {read}");
            }
        }
    }
}

#[test]
fn the_encrypted_form_of_v3_is_read() {
    let Some(mut node) = Node::start() else { return };
    let codec = JwsHs512::new(&Secret::new(SECRET));
    for claims in claims() {
        let token = node.encode(&Dialect::V3, &SECRET.into(), "", &claims, json!({ "encryption": true }));
        assert_eq!(token.split('.').count(), 5);
        let opened = codec.decode(&token).unwrap().claims;
        assert_eq!(given(serde_json::from_slice(&opened).unwrap()), claims);
    }
}

/// S35: an issuer on the npm package `jose` signs, and publishes its keys; we read with those alone.
#[cfg(feature = "jws")]
#[test]
fn s35_key_sets_of_jose_verify_what_it_signs() {
    use portcullis::codec::{JwkSet, JwsAlgorithm as A};

    let Some(mut node) = Node::start() else { return };
    let all = [
        (A::RS256, "RS256"),
        (A::RS384, "RS384"),
        (A::RS512, "RS512"),
        (A::PS256, "PS256"),
        (A::PS384, "PS384"),
        (A::PS512, "PS512"),
        (A::ES256, "ES256"),
        (A::ES384, "ES384"),
        (A::EdDSA, "EdDSA"),
    ];
    let names: Vec<_> = all.iter().map(|(_, name)| name).collect();
    let published = node.ask(&json!({ "op": "keys", "algorithms": names })).to_string();
    let set = JwkSet::from_json(&published, all.map(|(algorithm, _)| algorithm)).unwrap();
    let claims = json!({ "sub": "1", "name": "Zoë 日本語 🦀", "exp": NOW + 60 });
    for (algorithm, name) in all {
        let answer = node.ask(&json!({ "op": "sign", "algorithm": name, "claims": claims }));
        let token = answer["token"].as_str().unwrap_or_else(|| panic!("{name}: {answer}"));
        let opened = set.decode(token).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::from_slice::<Value>(&opened.claims).unwrap(), claims, "{name}");

        // Neither for another algorithm nor with the keys of another set.
        let other = if algorithm == A::EdDSA { A::ES256 } else { A::EdDSA };
        assert!(JwkSet::from_json(&published, [other]).unwrap().decode(token).is_err(), "{name}");
        let newer = node.ask(&json!({ "op": "keys", "algorithms": [name] })).to_string();
        let newer = JwkSet::from_json(&newer, [algorithm]).unwrap();
        assert!(newer.decode(token).is_err(), "{name}");
    }
}

/// S15: the list of v5 means the same on both sides.
#[test]
fn s15_lists_of_secrets_are_shared_with_v5() {
    let Some(mut node) = Node::start() else { return };
    let dialect = Dialect::V5;
    let cookie = session_cookie(dialect, ORIGINS[0]);
    let list = json!([SECRET, OLDER]);
    let ours = JweCbc::new(&Secret::new(SECRET).or_previous(OLDER), &cookie);
    let ours_old = JweCbc::new(&Secret::new(OLDER), &cookie);
    let claims = json!({ "sub": "1", "iat": NOW, "exp": NOW + 60 });

    let token = ours.encode(claims.to_string().as_bytes()).unwrap();
    assert_eq!(node.decode(&dialect, &list, &cookie, &token)["claims"], claims);
    assert_eq!(node.decode(&dialect, &SECRET.into(), &cookie, &token)["claims"], claims, "the first writes");
    assert!(node.decode(&dialect, &OLDER.into(), &cookie, &token)["error"].is_string());
    let token = ours_old.encode(claims.to_string().as_bytes()).unwrap();
    assert_eq!(node.decode(&dialect, &list, &cookie, &token)["claims"], claims, "all are read");

    for (secret, outdated) in [(&list, false), (&json!(SECRET), false), (&json!(OLDER), true)] {
        let token = node.encode(&dialect, secret, &cookie, &claims, json!({}));
        assert_eq!(ours.decode(&token).unwrap().outdated_key, outdated, "{secret}");
    }
}

/// `ada` has a name in many scripts, `long` one of 6 kB.
async fn check(form: Submitted) -> Result<Option<User>, BoxError> {
    let user = User::new("1").email("ada@example.com");
    Ok(match form.get("username") {
        Some("ada") => Some(user.name("Zoë 日本語 🦀")),
        Some("long") => Some(user.name("x".repeat(6000))),
        _ => None,
    })
}

fn browser(dialect: Dialect, origin: &str, secret: Secret) -> Browser {
    let credentials = Credentials::new(check)
        .field(Field::text("username", "Name"))
        .field(Field::password("password", "Password"));
    let auth = Auth::builder(secret)
        .dialect(dialect)
        .origin(OriginPolicy::fixed(origin).unwrap())
        .clock(ManualClock::at(NOW))
        .provider(credentials)
        .build()
        .unwrap();
    Browser::new(whoami(auth))
}

/// The token of the jar, which may be in pieces.
fn token_of(browser: &Browser, cookie: &str) -> String {
    let pieces = (0..).map_while(|number| browser.jar.get(&format!("{cookie}.{number}")));
    browser.jar.get(cookie).cloned().unwrap_or_else(|| pieces.cloned().collect())
}

/// Puts a token into the jar as the packages of v4 and v5 would.
fn put_token(browser: &mut Browser, dialect: Dialect, cookie: &str, token: &str) {
    let size = if dialect == Dialect::V5 { 3936 } else { 3933 };
    if dialect == Dialect::V3 || token.len() <= size {
        browser.jar.insert(cookie.to_owned(), token.to_owned());
        return;
    }
    for (number, piece) in token.as_bytes().chunks(size).enumerate() {
        let piece = String::from_utf8(piece.to_vec()).unwrap();
        browser.jar.insert(format!("{cookie}.{number}"), piece);
    }
}

#[tokio::test]
async fn the_packages_read_our_cookie() {
    let Some(mut node) = Node::start() else { return };
    for dialect in Dialect::ALL {
        for origin in ORIGINS {
            for (username, name) in [("ada", "Zoë 日本語 🦀".to_owned()), ("long", "x".repeat(6000))] {
                let mut browser = browser(dialect, origin, Secret::new(SECRET));
                browser.sign_in(username, "").await;
                let cookie = session_cookie(dialect, origin);
                let token = token_of(&browser, &cookie);
                let answer = node.decode(&dialect, &SECRET.into(), salt(dialect, &cookie), &token);
                let claims = &answer["claims"];
                assert_eq!(claims["sub"], "1", "{dialect} {origin}: {answer}, jar {:?}", browser.jar.keys());
                assert_eq!((&claims["name"], &claims["email"]), (&json!(name), &json!("ada@example.com")));
                assert_eq!(
                    (&claims["iat"], &claims["exp"]),
                    (&json!(NOW), &json!(NOW + 30 * DAY.as_secs() as i64))
                );
                assert_eq!(claims["jti"].is_string(), dialect != Dialect::V3, "{dialect}");
            }
        }
    }
}

#[tokio::test]
async fn we_read_the_cookie_of_the_packages() {
    let Some(mut node) = Node::start() else { return };
    for dialect in Dialect::ALL {
        for origin in ORIGINS {
            for name in ["Zoë 日本語 🦀".to_owned(), "x".repeat(6000)] {
                let cookie = session_cookie(dialect, origin);
                let claims = json!({ "name": name, "email": "ada@example.com", "sub": "1" });
                let token = node.encode(&dialect, &SECRET.into(), salt(dialect, &cookie), &claims, json!({}));
                let mut browser = browser(dialect, origin, Secret::new(SECRET));
                put_token(&mut browser, dialect, &cookie, &token);
                assert_eq!(browser.who().await, "1", "{dialect} {origin}");

                let session = browser.session().await;
                assert_eq!(session["user"]["name"], name, "{dialect} {origin}");
                assert_eq!(session["user"]["email"], "ada@example.com", "{dialect} {origin}");
                // `GET /session` made a new token, which is theirs to read again. In v3 nothing is random.
                let renewed = token_of(&browser, &cookie);
                assert_eq!(renewed != token, dialect != Dialect::V3, "{dialect} {origin}");
                let answer = node.decode(&dialect, &SECRET.into(), salt(dialect, &cookie), &renewed);
                assert_eq!(answer["claims"]["name"], name, "{dialect} {origin}: {answer}");
            }
        }
    }
}

/// S15: a session that the package made with the older secret goes on, under the new one.
#[tokio::test]
async fn s15_a_session_of_the_package_is_sealed_anew() {
    let Some(mut node) = Node::start() else { return };
    let dialect = Dialect::V5;
    let cookie = session_cookie(dialect, ORIGINS[1]);
    let claims = json!({ "sub": "1" });
    let token = node.encode(&dialect, &OLDER.into(), &cookie, &claims, json!({}));
    let mut browser = browser(dialect, ORIGINS[1], Secret::new(SECRET).or_previous(OLDER));
    put_token(&mut browser, dialect, &cookie, &token);
    assert_eq!(browser.who().await, "1");
    let renewed = token_of(&browser, &cookie);
    let answer = node.decode(&dialect, &SECRET.into(), &cookie, &renewed);
    assert_eq!(answer["claims"]["sub"], "1", "{answer}");
}
