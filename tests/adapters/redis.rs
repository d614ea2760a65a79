//! `@auth/upstash-redis-adapter` and `RedisStore` under one prefix.

use portcullis::{
    Account, Timestamp, User,
    store::{RedisStore, SessionKey, SessionStore, StoredSession, UpstashKeys, UserStore},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{contract, peer::Peer, server};

/// The adapter and the store, and what is in front of their keys.
async fn both() -> Option<(Peer, RedisStore, String)> {
    let url = server::given("TEST_REDIS_URL", "Redis was not shared with Node")?;
    let prefix = format!("{}:", Uuid::new_v4());
    let node = Peer::start(&["--redis", &url, "--prefix", &prefix])?;
    let store = RedisStore::connect(&url).await.unwrap();
    Some((node, store.upstash(&UpstashKeys::new().base_key_prefix(&prefix)), prefix))
}

#[tokio::test]
async fn keys_of_the_upstash_adapter() {
    let Some((mut node, store, _)) = both().await else { return };
    contract::holds(&mut node, &store).await;
}

/// What the adapter reads by itself, and what it only hands on to others: `docs/protocol.md` section 17.5.
#[tokio::test]
async fn what_we_write_stands_where_the_adapter_would_write_it() {
    let Some((mut node, store, prefix)) = both().await else { return };
    let account = Account::new("oauth", "acme", "7");
    let user = User::new("").email("zoe@example.com");
    let id = store.create_user(&user, Some(&account)).await.unwrap().id;
    let expires = Timestamp::from_millis(1_768_478_400_120);
    let session = StoredSession::new(SessionKey::new("token"), id.as_str(), expires);
    store.create_session(&session, None).await.unwrap();

    let mut get = |key: &str| node.raw(json!(["GET", format!("{prefix}{key}")])).as_str().unwrap().to_owned();
    assert_eq!(get("user:email:zoe@example.com"), id);
    assert_eq!(get(&format!("user:account:by-user-id:{id}")), format!("{prefix}user:account:acme:7"));
    assert_eq!(get(&format!("user:session:by-user-id:{id}")), format!("{prefix}user:session:token"));
    for (key, expected) in [
        (format!("user:{id}"), json!({ "id": id, "email": "zoe@example.com", "emailVerified": null })),
        (
            "user:account:acme:7".to_owned(),
            json!({ "userId": id, "type": "oauth", "provider": "acme", "providerAccountId": "7", "id": "acme:7" }),
        ),
        (
            "user:session:token".to_owned(),
            json!({ "sessionToken": "token", "userId": id, "expires": "2026-01-15T12:00:00.120Z" }),
        ),
    ] {
        let found: Value = serde_json::from_str(&get(&key)).unwrap();
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&found[name], value, "{name} in {key}");
        }
    }
}
