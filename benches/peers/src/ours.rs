//! Our stack as an application sets it up.

use axum::{Router, routing::get};
use portcullis::{
    Auth, AuthLayer, OriginPolicy, RequireAuth, Secret, Session, Timestamp, User,
    store::{MemoryStore, RedisStore, SessionKey, SessionStore, SqliteStore, Store, StoredSession, UserStore},
};
use std::time::{Duration, SystemTime};

use crate::{Around, Place, SESSIONS, Site};

pub async fn site(place: Place, around: &Around) -> Site {
    match place {
        Place::Memory => with(MemoryStore::new()).await,
        Place::Sqlite => {
            let url = format!("sqlite://{}", around.folder.join("ours.db").display());
            with(SqliteStore::connect(&url).await.unwrap()).await
        }
        Place::Redis => {
            let store = RedisStore::connect(around.redis.as_deref().unwrap()).await.unwrap();
            with(store.namespace(&uuid::Uuid::new_v4().to_string())).await
        }
    }
}

async fn with(store: impl Store + UserStore + SessionStore) -> Site {
    let mut cookies = Vec::new();
    let now = SystemTime::now();
    for number in 0..SESSIONS {
        let user = User::new("").name("J Smith").email(format!("jsmith-{number}@example.com"));
        let user = store.create_user(&user, None).await.unwrap();
        let token = SessionKey::of_token(&number.to_string()).as_str().to_owned();
        let end = Timestamp::from(now + Duration::from_secs(30 * 24 * 60 * 60));
        let mut session = StoredSession::new(SessionKey::of_token(&token), &user.id, end);
        session.created = Some(Timestamp::from(now));
        store.create_session(&session, None).await.unwrap();
        cookies.push(cookie(&token));
    }
    let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
        .origin(OriginPolicy::fixed("https://app.example").unwrap())
        .store(store)
        .build()
        .unwrap();
    let router = Router::new()
        .route("/", get(who))
        .route("/guarded", get(hello).layer(RequireAuth::signed_in()))
        .layer(AuthLayer::new(auth))
        .with_state(());
    Site { router, cookies, garbage: cookie(&"x".repeat(43)) }
}

fn cookie(token: &str) -> String {
    format!("theme=dark; __Secure-next-auth.session-token={token}")
}

async fn who(session: Option<Session>) -> String {
    session.and_then(|session| session.user.name).unwrap_or_default()
}

async fn hello() -> &'static str {
    "hello"
}
