//! A provider of OpenID Connect on this machine, for examples that are to run before one is registered anywhere. It
//! believes whatever is clicked, and forgets everything when the program ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{Html, Redirect},
    routing::{get, post},
};
use portcullis::{
    BoxError, Clock, OAuth, Secret, SystemClock, Timestamp,
    codec::{Codec, Jws, JwsAlgorithm, JwsKeys},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const CLIENT: &str = "example";

struct Provider {
    name: &'static str,
    /// Its issuer, and where everything is.
    url: String,
    /// How long its access tokens last, in seconds.
    lifetime: i64,
    /// ID tokens are signed with the secret of the client.
    signature: Jws,
    /// Codes, access tokens and refresh tokens, each with what it stands for.
    handed_out: Mutex<HashMap<String, Grant>>,
}

#[derive(Clone)]
struct Grant {
    user: &'static str,
    nonce: String,
}

/// Starts one of this name, and answers how it is signed in with, and where a profile is. Its access tokens last
/// `lifetime` seconds.
pub async fn start(name: &'static str, lifetime: i64) -> Result<(OAuth, String), BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let secret = [uuid::Uuid::new_v4().to_string(), uuid::Uuid::new_v4().to_string()].concat();
    let signature = Jws::new(JwsAlgorithm::HS256, JwsKeys::secret(&Secret::new(&*secret)))?;
    let provider = Provider { name, url: url.clone(), lifetime, signature, handed_out: Mutex::default() };
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/me", get(me))
        .route("/logout", get(logout))
        .with_state(Arc::new(provider));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let profile_url = format!("{url}/me");
    let provider = OAuth::oidc(name.to_lowercase(), url, CLIENT, secret)
        .with_name(name)
        .id_token_algorithms([JwsAlgorithm::HS256]);
    Ok((provider, profile_url))
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let url = &provider.url;
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/me"),
        "end_session_endpoint": format!("{url}/logout"),
    }))
}

#[derive(Deserialize)]
struct Asked {
    redirect_uri: String,
    state: String,
    nonce: String,
}

/// Asks who it is. A real provider has a password for that.
async fn authorize(State(provider): State<Arc<Provider>>, Query(asked): Query<Asked>) -> Html<String> {
    let links = ["Alice", "Bob"].map(|user| {
        let code = provider.hand_out(&Grant { user, nonce: asked.nonce.clone() });
        let answer = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &asked.state)
            .finish();
        // The redirect URI of an example: it has no character that HTML minds.
        format!("<p><a href=\"{}?{}\">I am {user}</a></p>", asked.redirect_uri, answer.replace('&', "&amp;"))
    });
    let name = provider.name;
    Html(format!("<!doctype html><title>{name}</title><h1>Who are you at {name}?</h1>{}", links.concat()))
}

/// Gives tokens for a code, or for a refresh token: each works once.
async fn token(
    State(provider): State<Arc<Provider>>,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let given = form.get("code").or_else(|| form.get("refresh_token"));
    let grant = given.and_then(|given| provider.handed_out().remove(given));
    let grant = grant.ok_or((StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))))?;
    let now = Timestamp::from(SystemClock.now()).as_secs();
    let mut claims = provider.profile(&grant);
    claims["iss"] = provider.url.as_str().into();
    claims["aud"] = CLIENT.into();
    claims["nonce"] = grant.nonce.as_str().into();
    claims["iat"] = now.into();
    claims["exp"] = (now + provider.lifetime).into();
    let id_token = provider.signature.encode(claims.to_string().as_bytes());
    let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "server_error" })));
    Ok(Json(json!({
        "access_token": provider.hand_out(&grant),
        "refresh_token": provider.hand_out(&grant),
        "id_token": id_token.map_err(failed)?,
        "token_type": "bearer",
        "expires_in": provider.lifetime,
    })))
}

async fn me(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let grant = token.and_then(|token| provider.handed_out().get(token).cloned());
    Ok(Json(provider.profile(&grant.ok_or(StatusCode::UNAUTHORIZED)?)))
}

#[derive(Deserialize)]
struct SigningOut {
    id_token_hint: String,
    post_logout_redirect_uri: String,
}

/// Signs out whoever the ID token is about, which is all that there is to do here, and leads back.
async fn logout(
    State(provider): State<Arc<Provider>>,
    Query(asked): Query<SigningOut>,
) -> Result<Redirect, StatusCode> {
    let opened = provider.signature.decode(&asked.id_token_hint).map_err(|_| StatusCode::BAD_REQUEST)?;
    let claims: Value = serde_json::from_slice(&opened.claims).map_err(|_| StatusCode::BAD_REQUEST)?;
    println!("{} has signed out at {}", claims["name"].as_str().unwrap_or_default(), provider.name);
    Ok(Redirect::to(&asked.post_logout_redirect_uri))
}

impl Provider {
    fn profile(&self, Grant { user, .. }: &Grant) -> Value {
        // An address of each provider's: one that two of them know would be of two people, and refused.
        json!({ "sub": user, "name": user, "email": format!("{user}@{}.example", self.name.to_lowercase()) })
    }

    fn hand_out(&self, grant: &Grant) -> String {
        let text = uuid::Uuid::new_v4().to_string();
        self.handed_out().insert(text.clone(), grant.clone());
        text
    }

    fn handed_out(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        self.handed_out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
