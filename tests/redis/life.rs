//! How long things are kept, and how the indexes come to be right again.

use portcullis::store::{
    Revocation, RevocationStore, Revoked, SessionStore, Store, UserStore, VerificationToken,
    VerificationTokenStore,
};

use crate::support::{Bed, ada, at, beds, key, session};

const HOUR: i64 = 3_600_000;

/// When a key is dropped, in milliseconds since 1970 by the server's clock.
async fn dropped_at(bed: &Bed, key: &str) -> i64 {
    bed.raw.send(redis::cmd("PEXPIRETIME").arg(format!("{}{key}", bed.prefix))).await
}

fn session_key(bed: &Bed, name: &str) -> String {
    if bed.upstash { format!("user:session:{name}") } else { format!("session:{name}") }
}

#[tokio::test]
async fn what_ends_has_a_time_to_live_that_moves_with_its_end() {
    for bed in beds().await {
        let store = &bed.store;
        store.create_session(&session("s", "u"), None).await.unwrap();
        let redis_key = session_key(&bed, "s");
        assert_eq!(dropped_at(&bed, &redis_key).await, at(1000).as_millis() + HOUR, "{}", bed.name);
        assert!(store.extend_session(&key("s"), at(2000), at(1)).await.unwrap());
        assert_eq!(dropped_at(&bed, &redis_key).await, at(2000).as_millis() + HOUR);
        store.replace_session_data(&key("s"), 0, &serde_json::Map::new()).await.unwrap();
        assert_eq!(dropped_at(&bed, &redis_key).await, at(2000).as_millis() + HOUR);

        let token = VerificationToken::new("ada@example.com", "hash", at(5));
        store.create_verification_token(&token).await.unwrap();
        let redis_key =
            if bed.upstash { "user:token:ada@example.com:hash" } else { "token:ada%40example.com:hash" };
        assert_eq!(dropped_at(&bed, redis_key).await, at(5).as_millis() + HOUR);

        for (id, end) in [("a", 50), ("b", 20)] {
            let revocation = Revocation::new(Revoked::User(id.into()), at(0), at(end));
            store.revoke(&revocation).await.unwrap();
        }
        let made = if bed.upstash { "portcullis:{revocations}:made" } else { "{revocations}:made" };
        assert_eq!(dropped_at(&bed, made).await, at(50).as_millis() + HOUR);

        let user = store.create_user(&ada("ada@example.com"), None).await.unwrap();
        let redis_key = format!("user:{}", user.id);
        assert_eq!(dropped_at(&bed, &redis_key).await, -1, "users stay");
        store.delete_user(&user.id).await.unwrap();
        let left = bed.raw.ttl(&format!("{}{redis_key}", bed.prefix)).await;
        assert!((0..=HOUR).contains(&left), "that there was one is forgotten: {left}");
    }
}

/// S87: a clock that is behind, or ahead, of the server's loses nothing.
#[tokio::test]
async fn s87_what_has_long_ended_by_the_servers_clock_is_kept_for_an_hour() {
    for bed in beds().await {
        let mut old = session("old", "u");
        old.expires = portcullis::Timestamp::from_secs(1);
        bed.store.create_session(&old, None).await.unwrap();
        assert_eq!(bed.store.session(&old.key).await.unwrap(), Some(old), "{}", bed.name);
        let left = bed.raw.ttl(&format!("{}{}", bed.prefix, session_key(&bed, "old"))).await;
        assert!((HOUR - 60_000..=HOUR).contains(&left), "{left}");
        let token = VerificationToken::new("a", "b", portcullis::Timestamp::from_secs(0));
        bed.store.create_verification_token(&token).await.unwrap();
        assert_eq!(bed.store.use_verification_token("a", "b").await.unwrap(), Some(token));
    }
}

/// S24: sessions that ended by themselves, or were begun and not noted, do no harm and are put right.
#[tokio::test]
async fn the_index_comes_to_be_right_again() {
    for bed in beds().await {
        let store = &bed.store;
        for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
            let mut session = session(name, "u");
            session.created = Some(at(index as i64));
            store.create_session(&session, None).await.unwrap();
        }
        // One is dropped by the server, or by Node.
        bed.raw.del(&format!("{}{}", bed.prefix, session_key(&bed, "c"))).await;
        assert_eq!(store.sessions_of("u").await.unwrap().len(), 2, "{}", bed.name);
        let index = index_key(&bed, "sessions").await.unwrap();
        assert_eq!(bed.raw.send::<u64>(redis::cmd("ZCARD").arg(&index)).await, 2, "{}", bed.name);

        // What is not there does not count when a limit is kept.
        bed.raw.del(&format!("{}{}", bed.prefix, session_key(&bed, "b"))).await;
        store.create_session(&session("d", "u"), Some(2.try_into().unwrap())).await.unwrap();
        assert!(store.session(&key("a")).await.unwrap().is_some(), "{}", bed.name);

        // The whole index is lost: a session that goes on is noted again, and so are new ones.
        bed.raw.del(&index).await;
        assert!(store.extend_session(&key("a"), at(5000), at(1)).await.unwrap());
        let listed = store.sessions_of("u").await.unwrap();
        assert!(listed.iter().any(|session| session.key == key("a")), "{}", bed.name);

        // A program died while it began a session, before and after it was written.
        let moving = index.replace(":sessions:", ":moving:");
        for name in ["never", "written"] {
            bed.raw.send::<()>(redis::cmd("ZADD").arg(&moving).arg(1).arg(name)).await;
        }
        let record = serde_json::json!({
            "sessionToken": "written", "userId": "u", "expires": at(9).to_string(), "created": at(-5).to_string(),
        });
        let redis_key = format!("{}{}", bed.prefix, session_key(&bed, "written"));
        bed.raw.set(&redis_key, &record.to_string()).await;
        let listed = store.sessions_of("u").await.unwrap();
        assert_eq!(listed[0].key, key("written"), "{}", bed.name);
        assert_eq!(bed.raw.send::<u64>(redis::cmd("ZCARD").arg(&moving)).await, 0, "{}", bed.name);
        assert!(store.end_sessions_of("u", None).await.unwrap() >= 2);
        assert_eq!(bed.raw.get(&redis_key).await, None);
        assert_eq!(store.sessions_of("u").await.unwrap(), []);
    }
}

async fn index_key(bed: &Bed, kind: &str) -> Option<String> {
    let keys = bed.raw.keys(&bed.prefix).await;
    keys.into_iter().find(|key| key.contains(&format!("}}:{kind}:")))
}

/// S89: what a program that died left of a user who was being made is nobody's.
#[tokio::test]
async fn s89_names_of_users_who_never_came_to_be_are_free() {
    for bed in beds().await {
        let prefix = if bed.upstash { format!("{}user:", bed.prefix) } else { bed.prefix.clone() };
        let email = if bed.upstash { "ada@example.com" } else { "ada%40example.com" };
        let account = serde_json::json!({
            "userId": "ghost", "provider": "acme", "type": "oauth", "providerAccountId": "1", "id": "acme:1",
        });
        bed.raw.set(&format!("{prefix}email:{email}"), "ghost").await;
        bed.raw.set(&format!("{prefix}account:acme:1"), &account.to_string()).await;
        assert_eq!(bed.store.user_by_email("ada@example.com").await.unwrap(), None);
        assert_eq!(bed.store.user_by_account("acme", "1").await.unwrap(), None);
        assert!(!bed.store.unlink_account("beta", "1").await.unwrap());
        let account = portcullis::Account::new("oauth", "acme", "1");
        let user = bed.store.create_user(&ada("ada@example.com"), Some(&account)).await.unwrap();
        assert_eq!(bed.store.user_by_account("acme", "1").await.unwrap().as_ref(), Some(&user));
        assert_eq!(bed.store.user_by_email("ada@example.com").await.unwrap(), Some(user));
        assert_eq!(bed.store.user("ghost").await.unwrap(), None);

        // And of one whose address was being changed.
        let eve = bed.store.create_user(&ada("eve@example.com"), None).await.unwrap();
        let address = format!("{prefix}email:{}", email.replace("ada", "new"));
        bed.raw.set(&address, &format!("{}\nnonce", eve.id)).await;
        assert_eq!(bed.store.user_by_email("new@example.com").await.unwrap(), None);
        let mut change = portcullis::store::UserChange::default();
        change.email = Some("new@example.com".into());
        let changed = bed.store.update_user(&eve.id, change).await.unwrap();
        assert_eq!(bed.store.user_by_email("new@example.com").await.unwrap(), changed);
        assert_eq!(bed.raw.get(&address).await, Some(eve.id));
    }
}

/// S24: a deleted user is nobody at once, whatever of theirs is left.
#[tokio::test]
async fn s24_a_session_of_nobody_is_no_session_with_a_user() {
    for bed in beds().await {
        let user = bed.store.create_user(&ada("ada@example.com"), None).await.unwrap();
        bed.store.create_session(&session("s", &user.id), None).await.unwrap();
        let record = bed.raw.get(&format!("{}{}", bed.prefix, session_key(&bed, "s"))).await.unwrap();
        assert!(bed.store.delete_user(&user.id).await.unwrap());
        bed.raw.set(&format!("{}{}", bed.prefix, session_key(&bed, "s")), &record).await;
        assert!(bed.store.session_and_user(&key("s")).await.unwrap().is_none(), "{}", bed.name);
    }
}
