//! A provider whose refresh tokens work once, and which counts how often it is asked.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use portcullis::{Endpoints, OAuth};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

/// How the provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// With a new access token and a new refresh token.
    Rotating,
    /// With a new access token alone.
    Keeping,
    /// With an error of its own.
    Down,
    /// After a minute.
    Slow,
    /// With tokens that last for half a minute.
    Brief,
}

#[derive(Debug, Clone)]
pub struct Provider {
    pub url: String,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    mood: Mutex<Mood>,
    asked: AtomicUsize,
    refused: AtomicUsize,
    /// Whether its answers have to wait.
    held: watch::Sender<bool>,
    /// The refresh tokens that work, and the user each stands for.
    good: Mutex<HashMap<String, String>>,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            mood: Mutex::new(Mood::Rotating),
            asked: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            held: watch::Sender::new(false),
            good: Mutex::default(),
        });
        let router = Router::new()
            .route("/token", post(token))
            .route(
                "/asked",
                get(async |State(inner): State<Arc<Inner>>| inner.asked.load(SeqCst).to_string()),
            )
            .with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inner }
    }

    /// It for whoever asks, at this address.
    pub fn at(url: &str) -> OAuth {
        let endpoints = Endpoints::new(format!("{url}/authorize"), format!("{url}/token"));
        OAuth::oauth2("acme", endpoints.userinfo(format!("{url}/me")), "client", "secret")
    }

    /// A refresh token for this user.
    pub fn hand_out(&self, user: &str) -> String {
        hand_out(&self.inner, user)
    }

    pub fn be(&self, mood: Mood) {
        *self.inner.mood.lock().unwrap() = mood;
    }

    /// Lets whoever asks wait, until this is called again.
    pub fn hold(&self, held: bool) {
        self.inner.held.send_replace(held);
    }

    /// How often it was asked for tokens.
    pub fn asked(&self) -> usize {
        self.inner.asked.load(SeqCst)
    }

    /// How often with a refresh token that does not work, or not any more.
    pub fn refused(&self) -> usize {
        self.inner.refused.load(SeqCst)
    }
}

fn hand_out(inner: &Inner, user: &str) -> String {
    let token = format!("refresh {}", uuid::Uuid::new_v4());
    inner.good.lock().unwrap().insert(token.clone(), user.to_owned());
    token
}

async fn token(
    State(inner): State<Arc<Inner>>,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    assert_eq!(form["grant_type"], "refresh_token");
    inner.asked.fetch_add(1, SeqCst);
    let mood = *inner.mood.lock().unwrap();
    if mood == Mood::Down {
        tokio::time::sleep(Duration::from_millis(200)).await;
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    let token = &form["refresh_token"];
    let user = match mood {
        Mood::Keeping => inner.good.lock().unwrap().get(token).cloned(),
        _ => inner.good.lock().unwrap().remove(token),
    };
    let Some(user) = user else {
        inner.refused.fetch_add(1, SeqCst);
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    };
    // Long enough for all who ask at once to have asked.
    let pause = if mood == Mood::Slow { Duration::from_secs(60) } else { Duration::from_millis(200) };
    tokio::time::sleep(pause).await;
    let _ = inner.held.subscribe().wait_for(|held| !held).await;
    let mut answer = json!({
        "access_token": format!("access of {user} {}", uuid::Uuid::new_v4()),
        "token_type": "bearer",
        "expires_in": if mood == Mood::Brief { 30 } else { 3600 },
    });
    if mood != Mood::Keeping {
        answer["refresh_token"] = hand_out(&inner, &user).into();
    }
    (StatusCode::OK, Json(answer))
}
