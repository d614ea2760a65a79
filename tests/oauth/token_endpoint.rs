//! What the token endpoint answers (RFC 6749 section 5).

use std::{
    future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use http::{Request, Response, header};
use portcullis::{
    Account, Dialect, Endpoints, Event, OAuth, ProviderTokenErrorKind as Kind, User,
    http_client::HttpError,
    preset::{GitHub, Keycloak, Preset, Slack, Twitch},
    store::{MemoryStore, UserStore},
};
use serde_json::{Value, json};

use crate::{
    provider::{Case, Provider, Reply},
    site::{Fault, browser, builder, is_signed_in, sign_in, site},
    time::Time,
};

const FAULTS: &[Case<Value, Reply>] = &[
    ("an error", |_| Reply::error(400, "invalid_grant")),
    ("an error of the client", |_| Reply::error(401, "invalid_client")),
    ("an error that is called a success", |mut answer| {
        answer["error"] = "access_denied".into();
        Reply::json(answer)
    }),
    ("an error that is no text", |mut answer| {
        answer["error"] = json!({ "code": 1 });
        Reply::json(answer)
    }),
    ("out of order", |_| Reply::error(500, "server_error")),
    ("out of order, with tokens", |answer| Reply::of(500, "application/json", answer.to_string())),
    ("too many requests", |_| Reply::error(429, "slow_down")),
    ("tokens with a refusal", |answer| Reply::of(403, "application/json", answer.to_string())),
    ("elsewhere", |_| Reply::redirect("/trap")),
    ("elsewhere, with tokens", |answer| Reply::of(307, "application/json", answer.to_string())),
    ("huge", Reply::huge),
    ("endless", |_| Reply::Endless),
    ("slow", |_| Reply::Slow("")),
    ("slow in the middle", |_| Reply::Slow("{\"access_token\":")),
    ("cut off", |_| Reply::Cut("{\"access_token\":")),
    ("hung up", |_| Reply::HangUp),
    ("truncated", |answer| {
        let text = answer.to_string();
        Reply::of(200, "application/json", text[..text.len() - 1].to_owned())
    }),
    ("a page", |_| Reply::of(200, "text/html", "<!doctype html>")),
    ("JSON that is called a page", |answer| Reply::of(200, "text/html", answer.to_string())),
    ("JSON without a type", |answer| Reply::of(200, "", answer.to_string())),
    ("a form", |_| Reply::of(200, "application/x-www-form-urlencoded", "access_token=a&token_type=bearer")),
    ("empty", |_| Reply::of(200, "application/json", "")),
    ("null", |_| Reply::json(Value::Null)),
    ("a list", |answer| Reply::json(json!([answer]))),
    ("no access token", |mut answer| {
        answer.as_object_mut().unwrap().remove("access_token");
        Reply::json(answer)
    }),
    ("an empty access token", |mut answer| {
        answer["access_token"] = "".into();
        Reply::json(answer)
    }),
    ("an access token that is no text", |mut answer| {
        answer["access_token"] = 1.into();
        Reply::json(answer)
    }),
    ("no ID token", |mut answer| {
        answer.as_object_mut().unwrap().remove("id_token");
        Reply::json(answer)
    }),
    ("an ID token that is no text", |mut answer| {
        answer["id_token"] = json!({ "sub": "alice-1" });
        Reply::json(answer)
    }),
];

/// S40, S43: each has the code of the dialect, and none waits, follows or believes.
#[tokio::test]
async fn s40_s43_broken_answers_sign_nobody_in() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let mut browser = browser(&site(dialect, &time, &provider));
        for (case, token) in FAULTS {
            provider.plan(|plan| plan.token = *token);
            Fault::Exchange.is_told(case, dialect, &sign_in(&mut browser, "acme").await);
            assert_eq!(browser.who().await, "nobody", "{dialect}: {case}");
            // A code is not tried twice.
            assert_eq!(provider.seen("/token").len(), 1, "{dialect}: {case}");
        }
        provider.plan(|_| {});
        is_signed_in("good", &sign_in(&mut browser, "acme").await);
    }
}

/// How a provider answers to a refresh token, and whether that says that the token is worth nothing.
const REFRESHES: &[(&Preset, u16, &str, bool)] = &[
    (&Keycloak::PRESET, 400, r#"{"error":"invalid_grant","error_description":"Token is not active"}"#, true),
    (&GitHub::PRESET, 200, r#"{"error":"bad_refresh_token","error_description":"It is expired."}"#, true),
    (&GitHub::PRESET, 400, r#"{"error":"invalid_grant"}"#, true),
    (&Slack::PRESET, 200, r#"{"ok":false,"error":"invalid_refresh_token"}"#, true),
    (&Twitch::PRESET, 400, r#"{"error":"Bad Request","status":400,"message":"Invalid refresh token"}"#, true),
    (&Twitch::PRESET, 400, r#"{"status":400,"message":"Invalid refresh token"}"#, true),
    // The client is wrong, or the server, or what is wrong is not known.
    (&Keycloak::PRESET, 401, r#"{"error":"invalid_client"}"#, false),
    (&Keycloak::PRESET, 400, r#"{"error":"bad_refresh_token"}"#, false),
    (&Keycloak::PRESET, 503, r#"{"error":"invalid_grant"}"#, false),
    (&GitHub::PRESET, 200, r#"{"error":"incorrect_client_credentials"}"#, false),
    (&GitHub::PRESET, 429, r#"{"error":"bad_refresh_token"}"#, false),
    (&Slack::PRESET, 200, r#"{"ok":false,"error":"internal_error"}"#, false),
    (&Twitch::PRESET, 400, r#"{"error":"Bad Request","status":400,"message":"missing client id"}"#, false),
    (&Twitch::PRESET, 403, r#"{"status":403,"message":"invalid client secret"}"#, false),
];

/// S45: each provider refuses a refresh token in words of its own. Then it is forgotten, the application is told, and
/// the user has to sign in there again; after any other error it is tried again.
#[tokio::test]
async fn s45_a_refresh_token_is_refused_in_the_words_of_the_provider() {
    for (preset, status, body, refused) in REFRESHES {
        let case = format!("{}: {status} {body}", preset.id);
        let (asked, told) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (store, time) = (Arc::new(MemoryStore::new()), Time::at_noon());
        let auth = builder(&time)
            .store(Arc::clone(&store))
            .provider(refreshed_at(preset.provider("client", "secret")))
            .http_client(answering(*status, body, &asked))
            .on_event({
                let told = Arc::clone(&told);
                move |event| {
                    if let Event::ProviderTokenRefused { user_id, provider } = event {
                        told.lock().unwrap().push((user_id, provider));
                    }
                    future::ready(Ok(()))
                }
            });
        let auth = auth.build().unwrap();
        let mut account = Account::new("oauth", preset.id, "ann");
        account.tokens.refresh_token = Some("a refresh token".to_owned());
        let user = store.create_user(&User::new(""), Some(&account)).await.unwrap().id;

        let expected = if *refused { Kind::SignInAgain } else { Kind::Unavailable };
        for _ in 0..2 {
            let error = auth.provider_token(&user, preset.id).await.unwrap_err();
            assert_eq!(error.kind(), expected, "{case}");
        }
        assert_eq!(asked.load(SeqCst), if *refused { 1 } else { 2 }, "{case}");
        let kept = store.accounts_of(&user).await.unwrap().remove(0).tokens.refresh_token;
        assert_eq!(kept.is_none(), *refused, "{case}");
        let events = if *refused { vec![(user, preset.id.to_owned())] } else { Vec::new() };
        assert_eq!(*told.lock().unwrap(), events, "{case}");
    }
}

/// The provider, at a place that no discovery has to be asked for.
fn refreshed_at(provider: OAuth) -> OAuth {
    let endpoints = Endpoints::new("https://id.example/authorize", "https://id.example/token");
    provider.issuer("https://id.example").endpoints(endpoints.userinfo("https://id.example/me"))
}

/// A client that is always answered this, and counts.
fn answering(
    status: u16,
    body: &'static str,
    asked: &Arc<AtomicUsize>,
) -> impl Fn(Request<Bytes>) -> future::Ready<Result<Response<Bytes>, HttpError>> + use<> {
    let asked = Arc::clone(asked);
    move |_| {
        asked.fetch_add(1, SeqCst);
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
        future::ready(response.body(Bytes::from(body)).map_err(HttpError::unavailable))
    }
}
