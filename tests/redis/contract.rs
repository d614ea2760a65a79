//! What the ports ask of every store, in short; the conformance kit asks at length.

use portcullis::{
    Account,
    store::{
        Replaced, Revocation, RevocationStore, Revoked, SessionStore, Store, UserChange, UserStore,
        VerificationToken, VerificationTokenStore,
    },
};
use serde_json::{Map, json};

use crate::support::{ada, assert_conflict, at, beds, key, session};

#[tokio::test]
async fn users_and_accounts() {
    for bed in beds().await {
        let store = &bed.store;
        let mut account = Account::new("oidc", "acme", "7:7");
        account.tokens.access_token = Some("AT".into());
        account.tokens.expires_at = Some(1_700_000_000);
        let made = store.create_user(&ada("ada@example.com"), Some(&account)).await.unwrap();
        assert_ne!(made.id, "not this");
        for found in [
            store.user(&made.id).await.unwrap(),
            store.user_by_email("ada@example.com").await.unwrap(),
            store.user_by_account("acme", "7:7").await.unwrap(),
        ] {
            assert_eq!(found.as_ref(), Some(&made), "{}", bed.name);
        }
        assert_eq!(store.user_by_email("Ada@example.com").await.unwrap(), None);
        assert_eq!(store.user_by_account("acme:7", "7").await.unwrap(), None);
        assert_eq!(store.accounts_of(&made.id).await.unwrap(), [account.clone()]);

        assert_conflict(store.create_user(&ada("ada@example.com"), None).await);
        assert_conflict(store.create_user(&ada("eve@example.com"), Some(&account)).await);
        assert_eq!(store.user_by_email("eve@example.com").await.unwrap(), None, "neither is made");
        let eve = store.create_user(&ada("eve@example.com"), None).await.unwrap();

        let mut change = UserChange::default();
        change.email = Some("eve@example.com".into());
        change.name = Some("Eve".into());
        assert_conflict(store.update_user(&made.id, change.clone()).await);
        assert_eq!(store.user(&made.id).await.unwrap().as_ref(), Some(&made));
        change.email = Some("lovelace@example.com".into());
        change.email_verified = Some(at(7));
        change.extra.insert("team".into(), json!(["a", {"b": 1.5}]));
        let changed = store.update_user(&made.id, change.clone()).await.unwrap().unwrap();
        assert_eq!((changed.name.as_deref(), changed.get_str("role")), (Some("Eve"), Some("admin")));
        assert_eq!(store.user_by_email("lovelace@example.com").await.unwrap(), Some(changed));
        assert_eq!(store.user_by_email("ada@example.com").await.unwrap(), None);
        store.create_user(&ada("ada@example.com"), None).await.expect("the old address is free");
        assert_eq!(store.update_user("nobody", change).await.unwrap(), None);

        let second = Account::new("oauth", "beta", "1");
        store.link_account(&made.id, &second).await.unwrap();
        assert_conflict(store.link_account(&eve.id, &second).await);
        assert_conflict(store.link_account("nobody", &Account::new("oauth", "beta", "2")).await);
        assert_eq!(store.accounts_of(&made.id).await.unwrap(), [account.clone(), second.clone()]);
        assert!(store.unlink_account("acme", "7:7").await.unwrap());
        assert!(!store.unlink_account("acme", "7:7").await.unwrap());
        assert_eq!(store.accounts_of(&made.id).await.unwrap(), std::slice::from_ref(&second));
        store.link_account(&made.id, &account).await.unwrap();
        assert_eq!(store.accounts_of(&made.id).await.unwrap(), [second.clone(), account.clone()]);

        let own = session("own", &made.id);
        store.create_session(&own, None).await.unwrap();
        assert!(store.delete_user(&made.id).await.unwrap());
        assert!(!store.delete_user(&made.id).await.unwrap());
        assert!(store.session_and_user(&own.key).await.unwrap().is_none());
        assert_eq!(store.session(&own.key).await.unwrap(), None);
        assert_eq!(store.user_by_account("acme", "7:7").await.unwrap(), None);
        assert_eq!(store.user_by_email("lovelace@example.com").await.unwrap(), None);
        assert_eq!(store.update_user(&made.id, UserChange::default()).await.unwrap(), None);
        store.link_account(&eve.id, &account).await.expect("the account is free");
        let mut change = UserChange::default();
        change.email = Some("lovelace@example.com".into());
        store.update_user(&eve.id, change).await.expect("the address is free");
    }
}

#[tokio::test]
async fn sessions() {
    for bed in beds().await {
        let store = &bed.store;
        let user = store.create_user(&ada("ada@example.com"), None).await.unwrap();
        let mut first = session("first", &user.id);
        first.created = Some(at(0));
        first.last_seen = Some(at(1));
        first.address = Some("192.0.2.1".into());
        first.user_agent = Some("Browser \"1\"".into());
        first.data.insert("cart".into(), json!({"empty": [], "big": 9_007_199_254_740_993_i64, "no": null}));
        store.create_session(&first, None).await.unwrap();
        assert_conflict(store.create_session(&first, None).await);
        assert_eq!(store.session(&first.key).await.unwrap().as_ref(), Some(&first));
        let both = store.session_and_user(&first.key).await.unwrap().unwrap();
        assert_eq!((&*both.session, &*both.user), (&first, &user));

        assert!(!store.extend_session(&first.key, at(1000), at(5)).await.unwrap(), "it ends then already");
        assert!(store.extend_session(&first.key, at(2000), at(5)).await.unwrap());
        let data: Map<_, _> = [("n".to_owned(), json!(1))].into_iter().collect();
        assert_eq!(store.replace_session_data(&first.key, 1, &data).await.unwrap(), Replaced::Stale);
        assert_eq!(store.replace_session_data(&first.key, 0, &data).await.unwrap(), Replaced::Done);
        (first.expires, first.last_seen) = (at(2000), Some(at(5)));
        (first.version, first.data) = (1, data.clone());
        assert_eq!(store.session(&first.key).await.unwrap().as_ref(), Some(&first));

        let mut earlier = session("earlier", &user.id);
        earlier.created = Some(at(-9));
        store.create_session(&earlier, None).await.unwrap();
        assert_eq!(store.sessions_of(&user.id).await.unwrap(), [earlier.clone(), first.clone()]);
        assert!(store.end_session(&first.key).await.unwrap());
        assert!(!store.end_session(&first.key).await.unwrap());
        assert!(!store.extend_session(&first.key, at(3000), at(5)).await.unwrap());
        assert_eq!(store.replace_session_data(&first.key, 1, &data).await.unwrap(), Replaced::Missing);
        for name in ["a", "b"] {
            store.create_session(&session(name, &user.id), None).await.unwrap();
        }
        assert_eq!(store.end_sessions_of(&user.id, Some(&key("a"))).await.unwrap(), 2);
        assert_eq!(store.sessions_of(&user.id).await.unwrap(), [session("a", &user.id)]);
        assert_eq!(store.end_sessions_of(&user.id, None).await.unwrap(), 1);
        assert_eq!(store.sessions_of("nobody").await.unwrap(), []);

        for (index, name) in ["1", "2", "3", "4"].into_iter().enumerate() {
            let mut session = session(name, &user.id);
            session.created = Some(at(index as i64));
            store.create_session(&session, Some(2.try_into().unwrap())).await.unwrap();
        }
        let left: Vec<_> =
            store.sessions_of(&user.id).await.unwrap().iter().map(|it| it.key.as_str().to_owned()).collect();
        assert_eq!(left, ["3", "4"], "{}", bed.name);
        // It stays itself, though it was begun before the others.
        let mut old = session("0", &user.id);
        old.created = Some(at(-1));
        store.create_session(&old, Some(1.try_into().unwrap())).await.unwrap();
        assert_eq!(store.sessions_of(&user.id).await.unwrap(), [old]);
    }
}

#[tokio::test]
async fn what_has_ended_is_removed_in_batches() {
    for bed in beds().await {
        let store = &bed.store;
        for index in 0..10 {
            let mut session = session(&format!("s{index}"), &format!("user {}", index % 3));
            session.expires = at(index);
            store.create_session(&session, None).await.unwrap();
            let token = VerificationToken::new("ada@example.com", format!("t{index}"), at(index));
            store.create_verification_token(&token).await.unwrap();
            let revocation = Revocation::new(Revoked::User(index.to_string()), at(index), at(index));
            store.revoke(&revocation).await.unwrap();
        }
        store.extend_session(&key("s0"), at(100), at(0)).await.unwrap();
        assert_eq!(store.delete_expired_sessions(at(5), 3).await.unwrap(), 3, "{}", bed.name);
        assert_eq!(store.delete_expired_sessions(at(5), 3).await.unwrap(), 2);
        assert_eq!(store.delete_expired_sessions(at(5), 3).await.unwrap(), 0);
        assert!(store.session(&key("s0")).await.unwrap().is_some());
        assert_eq!(store.session(&key("s5")).await.unwrap(), None);
        assert!(store.session(&key("s6")).await.unwrap().is_some());
        assert_eq!(store.delete_expired_verification_tokens(at(5), 4).await.unwrap(), 4);
        assert_eq!(store.delete_expired_verification_tokens(at(5), 4).await.unwrap(), 2);
        assert!(store.use_verification_token("ada@example.com", "t5").await.unwrap().is_none());
        assert!(store.use_verification_token("ada@example.com", "t6").await.unwrap().is_some());
        assert_eq!(store.delete_expired_revocations(at(5), 4).await.unwrap(), 4);
        assert_eq!(store.delete_expired_revocations(at(5), 4).await.unwrap(), 2);
        assert_eq!(store.revocations(at(0)).await.unwrap().len(), 4);
        store.end_sessions_of("user 0", None).await.unwrap();
        store.delete_expired_sessions(at(5000), 100).await.unwrap();
        store.delete_expired_verification_tokens(at(5000), 100).await.unwrap();
        store.delete_expired_revocations(at(5000), 100).await.unwrap();
        let left = bed.raw.keys(&bed.prefix).await;
        let indexes: Vec<_> = left.iter().filter(|key| !key.contains(":by-user-id:")).collect();
        assert!(indexes.is_empty(), "{}: {indexes:?}", bed.name);
    }
}

#[tokio::test]
async fn tokens_and_revocations() {
    for bed in beds().await {
        let store = &bed.store;
        let token = VerificationToken::new("ada@example.com", "hash", at(9));
        store.create_verification_token(&token).await.unwrap();
        assert_conflict(store.create_verification_token(&token).await);
        assert_eq!(store.use_verification_token("eve@example.com", "hash").await.unwrap(), None);
        assert_eq!(store.use_verification_token("ada@example.com", "other").await.unwrap(), None);
        assert_eq!(store.use_verification_token("ada@example.com", "hash").await.unwrap(), Some(token));
        assert_eq!(store.use_verification_token("ada@example.com", "hash").await.unwrap(), None);

        let user = Revoked::User("a:b".into());
        store.revoke(&Revocation::new(user.clone(), at(10), at(20))).await.unwrap();
        store.revoke(&Revocation::new(user.clone(), at(5), at(30))).await.unwrap();
        store.revoke(&Revocation::new(Revoked::Session("s".into()), at(1), at(9))).await.unwrap();
        let found = store.revocations(at(2)).await.unwrap();
        assert_eq!(found, [Revocation::new(user, at(10), at(30))]);
        assert_eq!(store.revocations(at(1)).await.unwrap().len(), 2);
    }
}
