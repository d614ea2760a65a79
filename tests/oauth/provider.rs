//! An OpenID provider on a socket. It is a strict one, until a test changes one of its answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::Incoming;
use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER};
use portcullis::BoxError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use tower::service_fn;

use crate::{server::serve, time::Time};

/// As whom the site is registered, with what a header has to encode.
pub const CLIENT: &str = "client id";
pub const CLIENT_SECRET: &str = "s:e%c+ret";

const PRIVATE: &[u8] = include_bytes!("../keys/test-ed25519.private.pem");
const PUBLISHED: &str = include_str!("../keys/jwks.json");

/// Names and values in order, as in a query.
pub type Params = Vec<(String, String)>;

/// What a case is called, and what becomes of something good in it.
pub type Case<T, R = T> = (&'static str, fn(T) -> R);
/// Likewise, and how it ends.
pub type Ending<T, E, R = T> = (&'static str, fn(T) -> R, E);
/// What a case is called, and how a token is made in it.
pub type Signature = (&'static str, fn(&Value) -> String);
/// What a case is called, and in what the provider differs.
pub type Break = (&'static str, fn(&mut Plan));

pub struct Provider {
    pub issuer: String,
    state: Arc<Mutex<State>>,
}

/// What the provider does. Each function is given what a good provider would answer.
#[derive(Clone)]
pub struct Plan {
    pub user: Value,
    pub discovery: fn(Value) -> Reply,
    /// The answer to the authorization request.
    pub answer: fn(Params) -> Params,
    pub token: fn(Value) -> Reply,
    pub claims: fn(Value) -> Value,
    pub sign: fn(&Value) -> String,
    pub userinfo: fn(Value) -> Reply,
    pub keys: fn(Value) -> Reply,
    /// The answers name the issuer (RFC 9207), and discovery says so.
    pub names_issuer: bool,
    /// Whoever redeems a code is taken for the client: the test looks at what was sent.
    pub trusts_clients: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            user: json!({ "sub": "alice-1", "name": "Alice", "email": "Alice@Example.com" }),
            discovery: Reply::json,
            answer: |params| params,
            token: Reply::json,
            claims: |claims| claims,
            sign: signed,
            userinfo: Reply::json,
            keys: Reply::json,
            names_issuer: false,
            trusts_clients: false,
        }
    }
}

/// What is sent, and how.
pub enum Reply {
    Whole(Response<Bytes>),
    /// The beginning; then the connection breaks.
    Cut(&'static str),
    /// The beginning; then eleven seconds pass, and nothing more comes.
    Slow(&'static str),
    /// More and more, without an end, and without saying how much.
    Endless,
    /// The connection ends without a word.
    HangUp,
}

impl Reply {
    pub fn json(value: Value) -> Self {
        Self::of(200, "application/json", value.to_string())
    }

    pub fn error(status: u16, code: &str) -> Self {
        let error = json!({ "error": code, "error_description": "it is <broken>" });
        Self::of(status, "application/json", error.to_string())
    }

    pub fn of(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
        Self::Whole(response.body(body.into()).unwrap())
    }

    pub fn redirect(to: &str) -> Self {
        let response = Response::builder().status(302).header(header::LOCATION, to);
        Self::Whole(response.body(Bytes::new()).unwrap())
    }

    /// More than a mebibyte, and good apart from that.
    pub fn huge(mut value: Value) -> Self {
        value["padding"] = "x".repeat(1024 * 1024).into();
        Self::json(value)
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub form: BTreeMap<String, String>,
}

struct State {
    plan: Plan,
    issuer: String,
    time: Time,
    seen: Vec<Seen>,
    /// What was asked for with each code that was not redeemed yet.
    codes: BTreeMap<String, BTreeMap<String, String>>,
    given: usize,
    /// Codes and tokens that were given.
    issued: Vec<String>,
}

impl Provider {
    pub fn start(time: &Time) -> Self {
        let state = Arc::new(Mutex::new(State {
            plan: Plan::default(),
            issuer: String::new(),
            time: time.clone(),
            seen: Vec::new(),
            codes: BTreeMap::new(),
            given: 0,
            issued: Vec::new(),
        }));
        let serving = Arc::clone(&state);
        let address = serve(service_fn(move |request: Request<Incoming>| {
            let state = Arc::clone(&serving);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let request = Request::from_parts(parts, body);
                let (reply, time) = {
                    let mut state = state.lock().unwrap();
                    (state.answer(&request), state.time.clone())
                };
                reply.send(&time)
            }
        }));
        let issuer = format!("http://{address}");
        state.lock().unwrap().issuer.clone_from(&issuer);
        Self { issuer, state }
    }

    /// Breaks it, from now on.
    pub fn plan(&self, change: impl FnOnce(&mut Plan)) {
        let mut plan = Plan::default();
        change(&mut plan);
        self.state.lock().unwrap().plan = plan;
    }

    /// How it calls itself from now on.
    pub fn rename(&self, issuer: &str) {
        issuer.clone_into(&mut self.state.lock().unwrap().issuer);
    }

    /// The codes and tokens that were given.
    pub fn issued(&self) -> Vec<String> {
        self.state.lock().unwrap().issued.clone()
    }

    /// The requests for this path, and forgets them.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let mut state = self.state.lock().unwrap();
        let (these, others) = state.seen.drain(..).partition(|seen: &Seen| seen.path == path);
        state.seen = others;
        these
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Reply {
        let path = request.uri().path().to_owned();
        let query: Params = pairs(request.uri().query().unwrap_or_default().as_bytes());
        let form: BTreeMap<_, _> = pairs(request.body()).into_iter().collect();
        self.seen.push(Seen { path: path.clone(), headers: request.headers().clone(), form: form.clone() });
        match (request.method(), path.as_str()) {
            (&Method::GET, "/.well-known/openid-configuration") => (self.plan.discovery)(self.discovery()),
            (&Method::GET, "/authorize") => self.authorize(query),
            (&Method::POST, "/token") => {
                let reply = self.token(request.headers(), &form);
                self.issued.extend(reply.tokens());
                reply
            }
            (&Method::GET, "/userinfo") => (self.plan.userinfo)(self.plan.user.clone()),
            (&Method::GET, "/keys") => (self.plan.keys)(serde_json::from_str(PUBLISHED).unwrap()),
            // Where a redirect leads that should not be followed.
            (_, "/trap") => panic!("somebody has followed a redirect"),
            _ => Reply::error(404, "not_found"),
        }
    }

    fn discovery(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/keys"),
            "authorization_response_iss_parameter_supported": self.plan.names_issuer,
        })
    }

    fn authorize(&mut self, query: Params) -> Reply {
        let count = query.len();
        let asked: BTreeMap<_, _> = query.into_iter().collect();
        assert_eq!(asked.len(), count, "a parameter was sent twice");
        assert_eq!((&*asked["client_id"], &*asked["response_type"]), (CLIENT, "code"));
        let mut params = vec![("state".to_owned(), asked["state"].clone())];
        if self.plan.names_issuer {
            params.push(("iss".to_owned(), self.issuer.clone()));
        }
        self.given += 1;
        let code = format!("code-{}", self.given);
        params.push(("code".to_owned(), code.clone()));
        self.issued.push(code.clone());
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs((self.plan.answer)(params)).finish();
        let location = format!("{}?{query}", asked["redirect_uri"]);
        self.codes.insert(code, asked);
        Reply::redirect(&location)
    }

    fn token(&mut self, headers: &HeaderMap, form: &BTreeMap<String, String>) -> Reply {
        let credentials = "Basic Y2xpZW50K2lkOnMlM0FlJTI1YyUyQnJldA==";
        let is_client = headers.get(header::AUTHORIZATION).is_some_and(|sent| sent == credentials);
        if !is_client && !self.plan.trusts_clients {
            return Reply::error(401, "invalid_client");
        }
        if form.get("refresh_token").is_some_and(|token| self.issued.contains(token)) {
            self.given += 1;
            return (self.plan.token)(json!({
                "access_token": format!("access-anew-{}", self.given),
                "token_type": "Bearer",
                "expires_in": 3600,
            }));
        }
        // A code is good once, for the redirect URI and the verifier that it was given for.
        let Some(asked) = form.get("code").and_then(|code| self.codes.remove(code)) else {
            return Reply::error(400, "invalid_grant");
        };
        let challenge = form.get("code_verifier").map(|verifier| challenge(verifier));
        if asked.get("code_challenge") != challenge.as_ref()
            || asked.get("redirect_uri") != form.get("redirect_uri")
        {
            return Reply::error(400, "invalid_grant");
        }
        let access_token = format!("access to {}", form["code"]).replace(' ', "-");
        let now = self.time.now();
        let mut claims = self.plan.user.clone();
        claims["iss"] = self.issuer.clone().into();
        claims["aud"] = CLIENT.into();
        claims["iat"] = now.into();
        claims["exp"] = (now + 600).into();
        claims["at_hash"] = URL_SAFE_NO_PAD.encode(&Sha512::digest(&access_token)[..32]).into();
        if let Some(nonce) = asked.get("nonce") {
            claims["nonce"] = nonce.clone().into();
        }
        let id_token = (self.plan.sign)(&(self.plan.claims)(claims));
        (self.plan.token)(json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": id_token,
        }))
    }
}

impl Reply {
    /// The tokens in it.
    fn tokens(&self) -> Vec<String> {
        let Self::Whole(response) = self else { return Vec::new() };
        let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let text = |name| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        ["access_token", "refresh_token", "id_token"].into_iter().filter_map(text).collect()
    }

    fn send(self, time: &Time) -> Result<Response<BoxBody<Bytes, BoxError>>, BoxError> {
        let first = |text: &'static str| stream::iter([Ok(Frame::data(Bytes::from_static(text.as_bytes())))]);
        let body = match self {
            Self::Whole(response) => {
                return Ok(response.map(|body| Full::new(body).map_err(|never| match never {}).boxed()));
            }
            Self::Cut(text) => {
                let body = first(text).chain(stream::iter([Err("it breaks".into())]));
                BodyExt::boxed(StreamBody::new(body))
            }
            Self::Slow(text) => {
                time.pass(11);
                BodyExt::boxed(StreamBody::new(first(text).chain(stream::pending())))
            }
            Self::Endless => {
                let block = || Ok(Frame::data(Bytes::from_static(&[b' '; 64 * 1024])));
                BodyExt::boxed(StreamBody::new(stream::repeat_with(block)))
            }
            Self::HangUp => return Err("it hangs up".into()),
        };
        Ok(Response::builder().header(header::CONTENT_TYPE, "application/json").body(body)?)
    }
}

/// Signs with the key that is published.
pub fn signed(claims: &Value) -> String {
    signed_as(&json!({ "alg": "EdDSA", "kid": "ed25519" }), claims)
}

/// Signs with that key, whatever the header says.
pub fn signed_as(header: &Value, claims: &Value) -> String {
    sign_with(Algorithm::EdDSA, &EncodingKey::from_ed_pem(PRIVATE).unwrap(), header, claims)
}

/// Signs header and claims as they are written, with that key.
pub fn signed_text(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    sign(Algorithm::EdDSA, &EncodingKey::from_ed_pem(PRIVATE).unwrap(), &message)
}

/// Signs with any key, whatever the header says.
pub fn sign_with(algorithm: Algorithm, key: &EncodingKey, header: &Value, claims: &Value) -> String {
    sign(algorithm, key, &unsigned(header, claims))
}

fn sign(algorithm: Algorithm, key: &EncodingKey, message: &str) -> String {
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key).unwrap();
    let signature = signer.try_sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Header and claims alone.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

pub fn pairs(text: &[u8]) -> Params {
    form_urlencoded::parse(text).into_owned().collect()
}
