//! The identity provider of the recordings, as a function.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, header};
use portcullis::{
    codec::{Codec, Jws, JwsAlgorithm, JwsKeys},
    http_client::HttpError,
};
use serde_json::{Value, json};

use crate::support::vectors::Vector;

const ISSUER: &str = "https://idp.test";
const PRIVATE: &[u8] = include_bytes!("../../../keys/test-ed25519.private.pem");

/// A request to the provider, as far as it says something.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    method: String,
    path: String,
    authorization: Option<String>,
    form: BTreeMap<String, String>,
}

impl Asked {
    pub(super) fn recorded(request: &Value) -> Self {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let (method, path) = (text("method"), text("path"));
        Self::new(method, path, request["authorization"].as_str(), text("body").as_bytes())
    }

    fn new(method: String, path: String, authorization: Option<&str>, body: &[u8]) -> Self {
        let mut form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        if let Some(verifier) = form.get_mut("code_verifier") {
            *verifier = format!("{} characters", verifier.len());
        }
        Self { method, path, authorization: authorization.map(str::to_owned), form }
    }
}

#[derive(Clone)]
pub(super) struct Provider(Arc<Mutex<State>>);

struct State {
    client_id: String,
    /// Whether it speaks OpenID Connect.
    identifies: bool,
    token_fails: bool,
    userinfo_fails: bool,
    wrong_nonce: bool,
    /// Whom it speaks of, where that is not the recorded user.
    subject: Option<String>,
    nonce: Option<String>,
    now: i64,
    asked: Vec<Asked>,
}

impl Provider {
    pub(super) fn of(vector: &Vector) -> Self {
        Self(Arc::new(Mutex::new(State {
            client_id: client_id(vector),
            identifies: vector.get("config/provider_type") == "oidc",
            token_fails: vector.get("config/idp_mode/tokenError") == true,
            userinfo_fails: vector.get("config/idp_mode/userinfoError") == true,
            wrong_nonce: vector.case() == "oidc_bad_nonce",
            subject: None,
            nonce: None,
            now: vector.i64("now"),
            asked: Vec::new(),
        })))
    }

    pub(super) fn speaks_of(&self, subject: Option<&str>) {
        self.0.lock().unwrap().subject = subject.map(str::to_owned);
    }

    /// What it was sent with the browser, and when it answers.
    pub(super) fn is_asked_with(&self, nonce: Option<String>, now: i64) {
        let mut state = self.0.lock().unwrap();
        (state.nonce, state.now) = (nonce, now);
        state.asked.clear();
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    pub(super) fn send(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (status, answer) = self.0.lock().unwrap().answer(request);
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
        response.body(answer.to_string().into()).map_err(HttpError::unavailable)
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> (u16, Value) {
        let path = request.uri().path();
        if ["/token", "/me"].contains(&path) {
            let headers = request.headers();
            let authorization = headers.get(header::AUTHORIZATION).map(|sent| sent.to_str().unwrap());
            let method = request.method().to_string();
            self.asked.push(Asked::new(method, path.to_owned(), authorization, request.body()));
        }
        match path {
            "/.well-known/openid-configuration" => (200, discovery()),
            "/keys" => (200, serde_json::from_str(include_str!("../../../keys/jwks.json")).unwrap()),
            "/token" if self.token_fails => (400, json!({ "error": "invalid_grant" })),
            "/token" => (200, self.tokens()),
            "/me" if self.userinfo_fails => (500, json!({ "error": "server_error" })),
            "/me" => (200, self.profile()),
            _ => panic!("the provider has no {path}"),
        }
    }

    fn tokens(&self) -> Value {
        let mut answer = json!({
            "access_token": "AT", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "RT",
            "scope": "user email", "custom_field": "kept?",
        });
        if self.identifies {
            answer["id_token"] = self.id_token().into();
        }
        answer
    }

    fn id_token(&self) -> String {
        let nonce = if self.wrong_nonce { Some("bad".to_owned()) } else { self.nonce.clone() };
        let mut claims = json!({
            "iss": ISSUER, "sub": "oidc-sub-1", "aud": self.client_id, "iat": self.now, "exp": self.now + 600,
            "name": "Oidc Name", "email": "Oidc@Example.com", "picture": "https://img.example/o.png",
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let keys = JwsKeys::private_pem(JwsAlgorithm::EdDSA, PRIVATE).unwrap();
        Jws::new(JwsAlgorithm::EdDSA, keys).unwrap().encode(claims.to_string().as_bytes()).unwrap()
    }

    fn profile(&self) -> Value {
        let id = self.subject.clone().map_or(json!(777), Value::String);
        json!({
            "id": id, "login": "acmeuser", "name": "Acme User", "email": "Acme@Example.com",
            "avatar": "https://img.example/a.png",
        })
    }
}

fn discovery() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://idp.test/authorize",
        "token_endpoint": "https://idp.test/token",
        "jwks_uri": "https://idp.test/keys",
    })
}

pub(super) fn client_id(vector: &Vector) -> String {
    format!("client id/{}", vector.seed())
}
