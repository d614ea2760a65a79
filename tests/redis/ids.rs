//! Ids, addresses and names that hold what keys are made of.

use portcullis::{
    Account,
    store::{
        RedisStore, SessionStore, Store, UpstashKeys, UserStore, VerificationToken, VerificationTokenStore,
    },
};

use crate::support::{Raw, ada, at, beds, fresh, key, service, session};

fn odd() -> Vec<String> {
    let mut odd: Vec<_> = [
        "",
        ":",
        "a",
        "A",
        "a:b",
        "a%3Ab",
        "a%3ab",
        "{a}",
        "{a",
        "}a{",
        "{}",
        "by-user-id:a",
        "email:a",
        "account:a:b",
        "a\nb",
        "a\0b",
        " a ",
        "ä",
        "a\u{308}",
        "\u{1f512}",
        "null",
        "*",
        "\"]}'\\",
        "../a",
    ]
    .map(str::to_owned)
    .into();
    odd.push("x".repeat(10_000));
    odd.push("{".repeat(10_000));
    odd
}

/// S91: whatever is in them, no two are taken for each other.
#[tokio::test]
async fn s91_no_id_leads_to_the_key_of_another() {
    for bed in beds().await {
        let (store, odd) = (&bed.store, odd());
        for (index, id) in odd.iter().enumerate() {
            let mut session = session(id, id);
            session.created = Some(at(index as i64));
            store.create_session(&session, None).await.unwrap();
            assert_eq!(store.user(id).await.unwrap(), None, "{} {id:?}", bed.name);
            let token = VerificationToken::new(id, "t", at(index as i64));
            store.create_verification_token(&token).await.unwrap();
            let token = VerificationToken::new("t", id, at(index as i64));
            store.create_verification_token(&token).await.unwrap();
        }
        for (index, id) in odd.iter().enumerate() {
            let found = store.session(&key(id)).await.unwrap().unwrap();
            assert_eq!((found.user_id.as_str(), found.created), (id.as_str(), Some(at(index as i64))));
            assert_eq!(store.sessions_of(id).await.unwrap(), [found], "{} {id:?}", bed.name);
            for (identifier, hash) in [(id.as_str(), "t"), ("t", id.as_str())] {
                let token = store.use_verification_token(identifier, hash).await.unwrap().unwrap();
                assert_eq!((token.identifier.as_str(), token.token.as_str()), (identifier, hash));
                assert_eq!(token.expires, at(index as i64), "{} {id:?}", bed.name);
            }
            assert!(store.end_session(&key(id)).await.unwrap());
            assert_eq!(store.sessions_of(id).await.unwrap(), []);
        }
    }
}

/// S91: so it is with addresses and accounts, each pair of which is somebody else.
#[tokio::test]
async fn s91_no_account_leads_to_the_user_of_another() {
    let parts = ["a", "a:b", "b", "b:c", "c", "a%3Ab", "{a}", "", "ä", "by-user-id"];
    for bed in beds().await {
        let store = &bed.store;
        let mut made = Vec::new();
        for provider in parts {
            for id in parts {
                let account = Account::new("oauth", provider, id);
                let email = format!("{provider}\n{id}{{}}@example.com");
                made.push((account.clone(), store.create_user(&ada(&email), Some(&account)).await.unwrap()));
            }
        }
        for (account, user) in &made {
            let (provider, id) = (&account.provider, &account.provider_account_id);
            assert_eq!(store.user_by_account(provider, id).await.unwrap().as_ref(), Some(user));
            let email = user.email.as_deref().unwrap();
            assert_eq!(store.user_by_email(email).await.unwrap().as_ref(), Some(user));
            assert_eq!(store.accounts_of(&user.id).await.unwrap(), std::slice::from_ref(account));
        }
        let (account, _) = &made[7];
        assert!(store.unlink_account(&account.provider, &account.provider_account_id).await.unwrap());
        for (index, (account, user)) in made.iter().enumerate() {
            let (provider, id) = (&account.provider, &account.provider_account_id);
            let found = store.user_by_account(provider, id).await.unwrap();
            assert_eq!(found.as_ref(), (index != 7).then_some(user), "{} {provider} {id}", bed.name);
        }
    }
}

/// S91: what is asked for is what is found, where the keys of Node leave room for doubt.
#[tokio::test]
async fn s91_a_session_with_an_odd_key_is_found_with_its_user() {
    for bed in beds().await {
        let user = bed.store.create_user(&ada("ada@example.com"), None).await.unwrap();
        for name in odd() {
            bed.store.create_session(&session(&name, &user.id), None).await.unwrap();
            let found = bed.store.session_and_user(&key(&name)).await.unwrap().unwrap();
            assert_eq!(*found.user, user, "{} {name:?}", bed.name);
        }
        // Users of another program, whose ids are odd as well.
        for id in ["a:b", "ä", "{a}", "%", "~ -_."] {
            bed.store.create_session(&session(&format!("of {id}"), id), None).await.unwrap();
            let encoded: String = percent(id, bed.upstash);
            let record = serde_json::json!({ "id": id, "name": "Odd" }).to_string();
            bed.raw.set(&format!("{}user:{encoded}", bed.prefix), &record).await;
            let found = bed.store.session_and_user(&key(&format!("of {id}"))).await.unwrap();
            assert_eq!(found.unwrap().user.id, id, "{}", bed.name);
            assert_eq!(bed.store.user(id).await.unwrap().unwrap().id, id);
        }
    }
}

fn percent(text: &str, upstash: bool) -> String {
    let plain = |byte: u8| match upstash {
        true => (b' '..=b'~').contains(&byte) && !b":%".contains(&byte),
        false => byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte),
    };
    text.bytes()
        .map(|byte| if plain(byte) { (byte as char).into() } else { format!("%{byte:02X}") })
        .collect()
}

/// S92: nothing of one namespace is seen in another, whatever their names are.
#[tokio::test]
async fn s92_namespaces_know_nothing_of_each_other() {
    for (name, store) in connections().await {
        let base = fresh("tenant");
        let tenants = [
            store.clone().namespace(&base),
            store.clone().namespace(&format!("{base}:user")),
            store.clone().namespace(&format!("{base}:")),
            store.clone().namespace(&format!("{base}%3A")),
            store.clone().namespace(&format!("{{{base}}}")),
            store.clone().upstash(&UpstashKeys::new().base_key_prefix(format!("{{{base}}}:"))),
            store.clone().upstash(&UpstashKeys::new().base_key_prefix(format!("{base}/"))),
        ];
        for (index, tenant) in tenants.iter().enumerate() {
            let account = Account::new("oauth", "acme", "1");
            let user = tenant.create_user(&ada("ada@example.com"), Some(&account)).await.unwrap();
            let mut own = session("same", &user.id);
            own.expires = at(index as i64);
            tenant.create_session(&own, Some(1.try_into().unwrap())).await.unwrap();
            let token = VerificationToken::new("ada@example.com", "same", at(index as i64));
            tenant.create_verification_token(&token).await.unwrap();
            for other in &tenants[index + 1..] {
                assert_eq!(other.user(&user.id).await.unwrap(), None, "{name}");
                assert_eq!(other.user_by_email("ada@example.com").await.unwrap(), None);
                assert_eq!(other.user_by_account("acme", "1").await.unwrap(), None);
                assert!(other.session_and_user(&own.key).await.unwrap().is_none());
                assert_eq!(other.sessions_of(&user.id).await.unwrap(), []);
                assert_eq!(other.end_sessions_of(&user.id, None).await.unwrap(), 0);
                assert!(!other.delete_user(&user.id).await.unwrap());
                assert_eq!(other.delete_expired_sessions(at(5000), 100).await.unwrap(), 0);
                assert_eq!(other.use_verification_token("ada@example.com", "same").await.unwrap(), None);
            }
        }
        for (index, tenant) in tenants.iter().enumerate() {
            assert_eq!(tenant.session(&key("same")).await.unwrap().unwrap().expires, at(index as i64));
            tenant.end_session(&key("same")).await.unwrap();
        }
    }
}

async fn connections() -> Vec<(&'static str, RedisStore)> {
    let mut found = Vec::new();
    if let Some(url) = service("TEST_REDIS_URL") {
        found.push(("server", RedisStore::connect(&url).await.unwrap()));
    }
    if let Some(urls) = service("TEST_REDIS_CLUSTER_URLS") {
        // As one URL, which is the other way to say it.
        let hosts: Vec<_> = urls.split(',').map(|url| url.trim_start_matches("redis://")).collect();
        let url = format!("redis+cluster://{}", hosts.join(","));
        found.push(("cluster", RedisStore::connect(&url).await.unwrap()));
    }
    found
}

/// Nothing that a store shows says where it is connected to, or as whom.
#[tokio::test]
async fn s81_a_store_shows_nothing_of_its_connection() {
    for (_, store) in connections().await {
        let shown = format!("{store:?}");
        assert!(shown == "RedisStore(Single)" || shown == "RedisStore(Cluster)", "{shown}");
    }
    for url in ["redis://user:hunter2@127.0.0.1:1", "redis+cluster://user:hunter2@127.0.0.1:1", "hunter2"] {
        let error = RedisStore::connect(url).await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(!source.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let beds = beds().await;
    if let Some(url) = service("TEST_REDIS_URL") {
        // A server without TLS, asked for it: an error, and no panic for want of a provider of cryptography.
        let error = RedisStore::connect(&url.replace("redis://", "rediss://")).await.unwrap_err();
        assert_eq!(error.kind(), portcullis::store::StoreErrorKind::Unavailable);
    }
    let Some(bed) = beds.iter().find(|bed| matches!(bed.raw, Raw::Single(_)) && !bed.upstash) else { return };
    bed.raw.send::<()>(redis::cmd("SADD").arg(format!("{}session:secret", bed.prefix)).arg("x")).await;
    let error = bed.store.session(&key("secret")).await.unwrap_err();
    assert_eq!(error.kind(), portcullis::store::StoreErrorKind::Corrupt);
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    bed.raw.set(&format!("{}session:torn", bed.prefix), "{\"sessionToken\":\"torn\",\"us").await;
    let error = bed.store.session_and_user(&key("torn")).await.unwrap_err();
    assert_eq!(error.kind(), portcullis::store::StoreErrorKind::Corrupt);
}
