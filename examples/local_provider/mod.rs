//! A provider of OAuth 2 on this machine, for examples that are to run before one is registered anywhere. It believes
//! whatever is clicked, and forgets everything when the program ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::Html,
    routing::{get, post},
};
use portcullis::{Endpoints, OAuth};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What was handed out: codes, access tokens and refresh tokens, each with the user it stands for.
type HandedOut = Arc<Mutex<HashMap<String, String>>>;

/// Starts one of this name, and answers how it is signed in with, and where a profile is. Its access tokens last
/// `seconds`.
pub async fn start(name: &'static str, seconds: u64) -> std::io::Result<(OAuth, String)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .route("/authorize", get(move |state, asked| authorize(state, asked, name)))
        .route("/token", post(move |state, form| token(state, form, seconds)))
        .route("/me", get(me))
        .with_state(HandedOut::default());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let profile_url = format!("{url}/me");
    let endpoints = Endpoints::new(format!("{url}/authorize"), format!("{url}/token"));
    let provider = OAuth::oauth2(
        name.to_lowercase(),
        endpoints.userinfo(profile_url.clone()),
        "example",
        "example-secret",
    );
    Ok((provider.with_name(name).scope("profile"), profile_url))
}

#[derive(Deserialize)]
struct Asked {
    redirect_uri: String,
    state: String,
}

/// Asks who it is. A real provider has a password for that.
async fn authorize(
    State(handed_out): State<HandedOut>,
    Query(asked): Query<Asked>,
    provider: &'static str,
) -> Html<String> {
    let links = ["Alice", "Bob"].map(|name| {
        let code = hand_out(&handed_out, name);
        let answer = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &asked.state)
            .finish();
        // The redirect URI of an example: it has no character that HTML minds.
        format!("<p><a href=\"{}?{}\">I am {name}</a></p>", asked.redirect_uri, answer.replace('&', "&amp;"))
    });
    Html(format!(
        "<!doctype html><title>{provider}</title><h1>Who are you at {provider}?</h1>{}",
        links.concat()
    ))
}

/// Gives tokens for a code, or for a refresh token: each works once.
async fn token(
    State(handed_out): State<HandedOut>,
    Form(form): Form<HashMap<String, String>>,
    seconds: u64,
) -> (StatusCode, Json<Value>) {
    let given = form.get("code").or_else(|| form.get("refresh_token"));
    let user = given.and_then(|given| lock(&handed_out).remove(given));
    match user {
        Some(user) => (
            StatusCode::OK,
            Json(json!({
                "access_token": hand_out(&handed_out, &user),
                "refresh_token": hand_out(&handed_out, &user),
                "token_type": "bearer",
                "expires_in": seconds,
            })),
        ),
        None => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))),
    }
}

async fn me(State(handed_out): State<HandedOut>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let user =
        token.and_then(|token| lock(&handed_out).get(token).cloned()).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(json!({ "id": user, "name": user, "email": format!("{user}@local.example") })))
}

fn hand_out(handed_out: &HandedOut, user: &str) -> String {
    let text = uuid::Uuid::new_v4().to_string();
    lock(handed_out).insert(text.clone(), user.to_owned());
    text
}

fn lock(handed_out: &HandedOut) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
    handed_out.lock().unwrap_or_else(PoisonError::into_inner)
}
