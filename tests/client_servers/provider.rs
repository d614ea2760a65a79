//! A provider of OpenID Connect that asks nobody anything: who signs in is the `login_hint`, or Alice.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{
    Clock, SystemClock, Timestamp,
    codec::{Codec, Jws, JwsAlgorithm, JwsKeys},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

/// As whom the sites are registered.
pub const CLIENT: &str = "site";
pub const CLIENT_SECRET: &str = "secret-of-the-site";

/// Whoever has this name at the provider needs more than one cookie for it.
pub const LONG_NAME: &str = "long";

type Params = BTreeMap<String, String>;

pub struct Provider {
    pub issuer: String,
}

struct Own {
    issuer: String,
    /// What was asked for with each code that was not redeemed yet.
    codes: Mutex<BTreeMap<String, Params>>,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let own = Own { issuer: issuer.clone(), codes: Mutex::default() };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .with_state(Arc::new(own));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer }
    }
}

async fn discovery(State(own): State<Arc<Own>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", own.issuer);
    Json(json!({
        "issuer": own.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys() -> Json<Value> {
    Json(serde_json::from_str(include_str!("../keys/jwks.json")).unwrap())
}

async fn authorize(State(own): State<Arc<Own>>, Query(asked): Query<Params>) -> Response {
    assert_eq!((&*asked["client_id"], &*asked["response_type"]), (CLIENT, "code"));
    let mut answer = form_urlencoded::Serializer::new(String::new());
    if let Some(state) = asked.get("state") {
        answer.append_pair("state", state);
    }
    if asked.get("login_hint").is_some_and(|hint| hint == "cancel") {
        answer.append_pair("error", "access_denied");
    } else {
        answer.append_pair("code", &hand_out(&own, asked.clone()));
    }
    let location = format!("{}?{}", asked["redirect_uri"], answer.finish());
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

fn hand_out(own: &Own, asked: Params) -> String {
    let code = uuid::Uuid::new_v4().to_string();
    own.codes.lock().unwrap().insert(code.clone(), asked);
    code
}

/// A code is good once, for the redirect URI and the verifier that it was given for.
async fn token(State(own): State<Arc<Own>>, headers: HeaderMap, Form(form): Form<Params>) -> Response {
    let basic = headers.get(header::AUTHORIZATION).is_some_and(|sent| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{CLIENT_SECRET}"));
        sent.as_bytes() == format!("Basic {pair}").as_bytes()
    });
    let is_client = basic || form.get("client_secret").is_some_and(|secret| secret == CLIENT_SECRET);
    let asked = form.get("code").and_then(|code| own.codes.lock().unwrap().remove(code));
    let good = asked.filter(|asked| {
        let verifier = form.get("code_verifier").map(|verifier| challenge(verifier));
        is_client
            && asked.get("code_challenge") == verifier.as_ref()
            && asked.get("redirect_uri") == form.get("redirect_uri")
    });
    match good {
        Some(asked) => Json(tokens(&own.issuer, &asked)).into_response(),
        None => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    }
}

fn tokens(issuer: &str, asked: &Params) -> Value {
    let login = asked.get("login_hint").map_or("alice", String::as_str);
    let name = if login == LONG_NAME { "x".repeat(6000) } else { login.to_owned() };
    let now = Timestamp::from(SystemClock.now()).as_secs();
    let mut claims = json!({
        "iss": issuer, "aud": CLIENT, "sub": login, "iat": now, "exp": now + 600,
        "name": name, "email": format!("{login}@idp.example"), "email_verified": true,
    });
    if let Some(nonce) = asked.get("nonce") {
        claims["nonce"] = nonce.clone().into();
    }
    let private = include_bytes!("../keys/test-rsa.private.pem");
    let keys = JwsKeys::private_pem(JwsAlgorithm::RS256, private).unwrap();
    let signer = Jws::new(JwsAlgorithm::RS256, keys).unwrap().with_key_id("rsa");
    let id_token = signer.encode(claims.to_string().as_bytes()).unwrap();
    json!({ "access_token": "access", "token_type": "Bearer", "expires_in": 3600, "id_token": id_token })
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}
