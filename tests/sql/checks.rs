//! What holds on each database, and on each layout that can be written.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use portcullis::{
    Account, Timestamp, User,
    store::{
        Replaced, Revocation, RevocationStore, Revoked, SessionKey, Store, StoreErrorKind, StoredSession,
        UserChange, VerificationToken,
    },
};
use serde_json::{Map, Value, json};

/// A store with everything.
pub(crate) trait Whole: Store + RevocationStore {}

impl<S: Store + RevocationStore> Whole for S {}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_768_478_400_000 + millis)
}

pub(crate) fn members(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("no object: {value}") };
    members
}

pub(crate) async fn user<S: Store>(store: &S, email: &str) -> User {
    store.create_user(&User::new("x").email(email), None).await.unwrap()
}

/// What tables of Auth.js keep as well.
pub(crate) async fn auth_js<S: Store>(store: &S) {
    users_and_accounts(store).await;
    sessions(store).await;
    tokens(store).await;
    odd_ids(store).await;
    first_sign_ins(store).await;
    racers_for_a_token(store).await;
    limits(store).await;
    expired(store).await;
}

/// What needs columns of our own.
pub(crate) async fn own<S: Whole>(store: &S) {
    data_of_sessions(store).await;
    members_of_users(store).await;
    increments(store).await;
    revocations(store).await;
}

async fn users_and_accounts<S: Store>(store: &S) {
    let email = "Ünï 'quo\"te`\\@example.com";
    let asked = User::new("ignored").name("J 😀 Smith").email(email).image("https://img.example/1.png");
    let mut account = Account::new("oidc", "acme:1", "5832'31");
    account.tokens.access_token = Some("AT".into());
    account.tokens.expires_at = Some(1_768_482_000);
    let made = store.create_user(&asked, Some(&account)).await.unwrap();
    assert!(made.id != "ignored" && made.name == asked.name && made.email == asked.email);
    assert_eq!(store.user(&made.id).await.unwrap().as_ref(), Some(&made));
    assert_eq!(store.user_by_email(email).await.unwrap().as_ref(), Some(&made));
    assert_eq!(store.user_by_account("acme:1", "5832'31").await.unwrap().as_ref(), Some(&made));
    for (other, is) in [(email.to_uppercase(), "case"), (format!("{email} "), "blank"), ("Uni".into(), "part")] {
        assert_eq!(store.user_by_email(&other).await.unwrap(), None, "another {is}");
    }
    assert_eq!(store.user_by_account("ACME:1", "5832'31").await.unwrap(), None);
    assert_eq!(store.accounts_of(&made.id).await.unwrap(), [account.clone()]);

    let again = store.create_user(&User::new("x").email(email), None).await.unwrap_err();
    assert_eq!(again.kind(), StoreErrorKind::Conflict);
    let again = store.create_user(&User::new("x").email("other@example.com"), Some(&account)).await.unwrap_err();
    assert_eq!(again.kind(), StoreErrorKind::Conflict);
    assert_eq!(store.user_by_email("other@example.com").await.unwrap(), None, "both or neither");

    let mut change = UserChange::default();
    change.email_verified = Some(at(123));
    let changed = store.update_user(&made.id, change).await.unwrap().unwrap();
    assert_eq!(changed.email_verified, Some(at(123)), "with milliseconds");
    assert_eq!((&changed.name, &changed.email), (&made.name, &made.email));
    assert_eq!(store.user(&made.id).await.unwrap(), Some(changed));
    let second = user(store, "second@example.com").await;
    let mut change = UserChange::default();
    change.email = Some("second@example.com".into());
    assert_eq!(store.update_user(&made.id, change.clone()).await.unwrap_err().kind(), StoreErrorKind::Conflict);
    assert!(store.update_user(&second.id, change).await.unwrap().is_some(), "their own is no conflict");

    let other = Account::new("oauth", "beta", "1");
    store.link_account(&made.id, &other).await.unwrap();
    assert_eq!(store.link_account(&second.id, &other).await.unwrap_err().kind(), StoreErrorKind::Conflict);
    assert_eq!(store.accounts_of(&made.id).await.unwrap().len(), 2);
    assert!(store.unlink_account("beta", "1").await.unwrap());
    assert!(!store.unlink_account("beta", "1").await.unwrap());

    let key = SessionKey::new("of-the-deleted");
    store.create_session(&StoredSession::new(key.clone(), &*made.id, at(0)), None).await.unwrap();
    assert!(store.delete_user(&made.id).await.unwrap());
    assert!(!store.delete_user(&made.id).await.unwrap());
    assert_eq!(store.session(&key).await.unwrap(), None, "S24");
    assert_eq!(store.user_by_account("acme:1", "5832'31").await.unwrap(), None);
    assert_eq!(store.link_account(&made.id, &other).await.unwrap_err().kind(), StoreErrorKind::Conflict);
    let orphan = StoredSession::new(key, &*made.id, at(0));
    assert_eq!(store.create_session(&orphan, None).await.unwrap_err().kind(), StoreErrorKind::Conflict);
    assert!(store.delete_user(&second.id).await.unwrap());
}

async fn sessions<S: Store>(store: &S) {
    let user = user(store, "sessions@example.com").await;
    let key = SessionKey::new("k'1\"é");
    let session = StoredSession::new(key.clone(), &*user.id, at(1_007));
    store.create_session(&session, None).await.unwrap();
    assert_eq!(store.create_session(&session, None).await.unwrap_err().kind(), StoreErrorKind::Conflict);
    let found = store.session_and_user(&key).await.unwrap().unwrap();
    assert_eq!((&found.session.expires, &*found.user), (&at(1_007), &user));
    for other in ["K'1\"é", "k'1\"é ", "k'1\"e", "k", ""] {
        assert!(store.session_and_user(&SessionKey::new(other)).await.unwrap().is_none(), "{other:?}");
    }
    assert!(store.extend_session(&key, at(2_000), at(5)).await.unwrap());
    assert!(!store.extend_session(&key, at(2_000), at(6)).await.unwrap(), "no earlier end");
    assert!(!store.extend_session(&SessionKey::new("none"), at(9_000), at(6)).await.unwrap());
    assert_eq!(store.session(&key).await.unwrap().unwrap().expires, at(2_000));
    let other = SessionKey::new("k2");
    store.create_session(&StoredSession::new(other.clone(), &*user.id, at(1)), None).await.unwrap();
    assert_eq!(store.sessions_of(&user.id).await.unwrap().len(), 2);
    assert_eq!(store.end_sessions_of(&user.id, Some(&other)).await.unwrap(), 1);
    assert!(store.session(&key).await.unwrap().is_none() && store.session(&other).await.unwrap().is_some());
    assert!(store.end_session(&other).await.unwrap());
    assert!(!store.end_session(&other).await.unwrap());
    assert_eq!(store.end_sessions_of(&user.id, None).await.unwrap(), 0);
    assert!(store.delete_user(&user.id).await.unwrap());
}

async fn tokens<S: Store>(store: &S) {
    let token = VerificationToken::new("a@example.com", "hash", at(999));
    store.create_verification_token(&token).await.unwrap();
    assert_eq!(store.create_verification_token(&token).await.unwrap_err().kind(), StoreErrorKind::Conflict);
    for (identifier, hash) in [("b@example.com", "hash"), ("a@example.com", "Hash"), ("a@example.com ", "hash")] {
        assert_eq!(store.use_verification_token(identifier, hash).await.unwrap(), None, "S49: both are compared");
    }
    assert_eq!(store.use_verification_token("a@example.com", "hash").await.unwrap(), Some(token));
    assert_eq!(store.use_verification_token("a@example.com", "hash").await.unwrap(), None);
    store.create_verification_token(&VerificationToken::new("old", "1", at(0))).await.unwrap();
    store.create_verification_token(&VerificationToken::new("new", "1", at(1))).await.unwrap();
    assert_eq!(store.delete_expired_verification_tokens(at(0), 10).await.unwrap(), 1);
    assert!(store.use_verification_token("new", "1").await.unwrap().is_some());
}

/// Ids that this database cannot have made are nobody's, and no error.
async fn odd_ids<S: Store>(store: &S) {
    let ids = ["", "abc", "0", "-1", "007", "1e3", " 1", "99999999999999999999", "2147483648", "1;drop table users"];
    let uuids = ["00000000-0000-0000-0000-000000000000", "{6f9619ff-8b86-d011-b42d-00c04fc964ff}", "nul\0in it", "é"];
    for id in ids.into_iter().chain(uuids) {
        assert_eq!(store.user(id).await.unwrap(), None, "{id:?}");
        assert_eq!(store.update_user(id, UserChange::default()).await.unwrap(), None, "{id:?}");
        assert!(!store.delete_user(id).await.unwrap(), "{id:?}");
        assert!(store.accounts_of(id).await.unwrap().is_empty() && store.sessions_of(id).await.unwrap().is_empty());
        assert_eq!(store.end_sessions_of(id, None).await.unwrap(), 0);
        assert_eq!(store.user_by_email(id).await.unwrap(), None);
        assert_eq!(store.user_by_account(id, id).await.unwrap(), None);
        assert!(store.session_and_user(&SessionKey::new(id)).await.unwrap().is_none());
        assert!(!store.end_session(&SessionKey::new(id)).await.unwrap());
        assert_eq!(store.use_verification_token(id, id).await.unwrap(), None);
        let orphan = StoredSession::new(SessionKey::new("orphan"), id, at(0));
        let kind = store.create_session(&orphan, None).await.unwrap_err().kind();
        assert_eq!(kind, StoreErrorKind::Conflict, "{id:?}");
        let kind = store.link_account(id, &Account::new("oauth", "p", "1")).await.unwrap_err().kind();
        assert_eq!(kind, StoreErrorKind::Conflict, "{id:?}");
    }
}

/// S89: however many first sign-ins there are at once, they make one user.
async fn first_sign_ins<S: Store>(store: &S) {
    for round in 0..3 {
        let account = Account::new("oauth", "github", format!("racer{round}"));
        let sign_in = async |number: usize| {
            let email = (number % 2 == 0).then(|| format!("racer{round}@example.com"));
            let mut user = User::new("x").name(format!("{number}"));
            user.email = email;
            store.create_user(&user, Some(&account)).await
        };
        let outcomes = futures_util::future::join_all((0..20).map(sign_in)).await;
        let made: Vec<_> = outcomes.iter().flatten().collect();
        assert_eq!(made.len(), 1, "round {round}");
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error:?}");
        }
        let owner = store.user_by_account("github", &format!("racer{round}")).await.unwrap().unwrap();
        assert_eq!(&owner, made[0]);
        assert_eq!(store.accounts_of(&owner.id).await.unwrap().len(), 1);
        assert!(store.delete_user(&owner.id).await.unwrap());
    }
}

async fn racers_for_a_token<S: Store>(store: &S) {
    for round in 0..5 {
        let token = VerificationToken::new("race@example.com", format!("{round}"), at(0));
        store.create_verification_token(&token).await.unwrap();
        let racers = (0..16).map(|_| store.use_verification_token(&token.identifier, &token.token));
        let outcomes = futures_util::future::join_all(racers).await;
        let winners = outcomes.into_iter().filter(|outcome| outcome.as_ref().unwrap().is_some()).count();
        assert_eq!(winners, 1);
    }
}

async fn limits<S: Store>(store: &S) {
    let user = user(store, "limits@example.com").await;
    let limit = NonZeroUsize::new(3);
    let session = |number: usize| {
        let key = SessionKey::new(format!("limit{number}"));
        let mut session = StoredSession::new(key, &*user.id, at(10_000));
        session.created = Some(at(i64::try_from(number).unwrap()));
        session
    };
    let all: Vec<_> = (0..12).map(session).collect();
    let outcomes = futures_util::future::join_all(all.iter().map(|one| store.create_session(one, limit))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(store.sessions_of(&user.id).await.unwrap().len(), 3);
    let last = session(100);
    store.create_session(&last, NonZeroUsize::new(1)).await.unwrap();
    let left = store.sessions_of(&user.id).await.unwrap();
    assert!(left.len() == 1 && left[0].key == last.key);
    assert!(store.delete_user(&user.id).await.unwrap());
}

/// S29: in batches, by several at once.
async fn expired<S: Store>(store: &S) {
    let user = user(store, "expired@example.com").await;
    for number in 0..25 {
        let key = SessionKey::new(format!("expired{number}"));
        store.create_session(&StoredSession::new(key, &*user.id, at(number)), None).await.unwrap();
    }
    assert_eq!(store.delete_expired_sessions(at(19), 5).await.unwrap(), 5);
    let sweeps = (0..4).map(|_| store.delete_expired_sessions(at(19), 5));
    let mut gone: u64 = futures_util::future::join_all(sweeps).await.into_iter().map(Result::unwrap).sum();
    assert!(gone <= 15, "{gone}");
    while gone < 15 {
        gone += store.delete_expired_sessions(at(19), 5).await.unwrap();
    }
    assert_eq!(store.delete_expired_sessions(at(19), 5).await.unwrap(), 0);
    assert_eq!(store.sessions_of(&user.id).await.unwrap().len(), 5);
    assert!(store.delete_user(&user.id).await.unwrap());
}

async fn data_of_sessions<S: Whole>(store: &S) {
    let user = user(store, "data@example.com").await;
    let key = SessionKey::new("data");
    let mut session = StoredSession::new(key.clone(), &*user.id, at(10));
    session.created = Some(at(1));
    session.last_seen = Some(at(2));
    session.address = Some("2001:db8::1".into());
    session.user_agent = Some("Mozilla/5.0 (X; é)".into());
    session.data = members(json!({ "cart": [1, 2.5, null, "é\u{0}'"], "z": 1, "a": { "b": true } }));
    store.create_session(&session, None).await.unwrap();
    assert_eq!(store.session(&key).await.unwrap().as_ref(), Some(&session));
    assert_eq!(*store.session_and_user(&key).await.unwrap().unwrap().session, session);
    let data = members(json!({ "n": 1 }));
    assert_eq!(store.replace_session_data(&key, 0, &data).await.unwrap(), Replaced::Done);
    assert_eq!(store.replace_session_data(&key, 0, &data).await.unwrap(), Replaced::Stale);
    assert_eq!(store.replace_session_data(&key, u64::MAX, &data).await.unwrap(), Replaced::Stale);
    assert_eq!(store.replace_session_data(&key, 1, &Map::new()).await.unwrap(), Replaced::Done);
    let found = store.session(&key).await.unwrap().unwrap();
    assert!(found.version == 2 && found.data.is_empty());
    assert!(store.extend_session(&key, at(20), at(12)).await.unwrap());
    assert_eq!(store.session(&key).await.unwrap().unwrap().last_seen, Some(at(12)));
    assert!(store.end_session(&key).await.unwrap());
    assert_eq!(store.replace_session_data(&key, 2, &data).await.unwrap(), Replaced::Missing, "S21");
    assert_eq!(store.session(&key).await.unwrap(), None, "S21: nothing comes back");
    assert!(store.delete_user(&user.id).await.unwrap());
}

async fn members_of_users<S: Whole>(store: &S) {
    let asked = User::new("x").email("extra@example.com").with("role", "admin");
    let user = store.create_user(&asked, None).await.unwrap();
    assert_eq!(user.get_str("role"), Some("admin"));
    let changes = (0..10).map(|number| {
        let mut change = UserChange::default();
        change.extra = members(json!({ format!("m{number}"): number }));
        store.update_user(&user.id, change)
    });
    let outcomes = futures_util::future::join_all(changes).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let found = store.user(&user.id).await.unwrap().unwrap();
    assert_eq!(found.extra.len(), 11, "none is lost");
    assert!(store.delete_user(&user.id).await.unwrap());
}

/// S22: of a hundred increments at once none is lost.
async fn increments<S: Whole>(store: &S) {
    let user = user(store, "cas@example.com").await;
    let key = SessionKey::new("cas");
    store.create_session(&StoredSession::new(key.clone(), &*user.id, at(0)), None).await.unwrap();
    let increment = async |_| {
        loop {
            let session = store.session(&key).await.unwrap().unwrap();
            let n = session.data.get("n").and_then(Value::as_i64).unwrap_or_default() + 1;
            let data = members(json!({ "n": n }));
            if store.replace_session_data(&key, session.version, &data).await.unwrap() == Replaced::Done {
                break;
            }
        }
    };
    futures_util::future::join_all((0..100).map(increment)).await;
    let found = store.session(&key).await.unwrap().unwrap();
    assert_eq!((found.data["n"].as_i64(), found.version), (Some(100), 100));
    assert!(store.delete_user(&user.id).await.unwrap());
}

async fn revocations<S: Whole>(store: &S) {
    let of = |subject, made, end| Revocation::new(subject, at(made), at(end));
    let (session, user) = (Revoked::Session("it's".into()), Revoked::User("it's".into()));
    store.revoke(&of(session.clone(), 5, 100)).await.unwrap();
    store.revoke(&of(session.clone(), 3, 200)).await.unwrap();
    store.revoke(&of(user.clone(), 7, 50)).await.unwrap();
    let mut found = store.revocations(at(5)).await.unwrap();
    found.sort_by(|a, b| a.subject.cmp(&b.subject));
    assert_eq!(found, [of(session.clone(), 5, 200), of(user, 7, 50)], "the later of both, the later end of both");
    assert_eq!(store.revocations(at(6)).await.unwrap().len(), 1);
    assert_eq!(store.delete_expired_revocations(at(50), 10).await.unwrap(), 1);
    assert_eq!(store.delete_expired_revocations(at(500), 10).await.unwrap(), 1);
}

/// S88: calls that are broken off anywhere leave nothing behind that is half done, and the store in order.
pub(crate) async fn broken_off<S: Whole>(store: Arc<S>) {
    let account = Account::new("oauth", "broken", "1");
    let asked = User::new("x").email("broken@example.com");
    for micros in (0..4_000).step_by(97) {
        let work = async {
            let user = store.create_user(&asked, Some(&account)).await.unwrap();
            let key = SessionKey::new("broken");
            store.create_session(&StoredSession::new(key, &*user.id, at(0)), NonZeroUsize::new(2)).await.unwrap();
        };
        let _ = tokio::time::timeout(Duration::from_micros(micros), work).await;
        let by_account = store.user_by_account("broken", "1").await.unwrap();
        let by_email = store.user_by_email("broken@example.com").await.unwrap();
        assert_eq!(by_account, by_email, "both or neither, after {micros} µs");
        if let Some(user) = by_email {
            assert!(store.delete_user(&user.id).await.unwrap());
        }
    }
}
