//! The adapter contract, there and back: what each side writes, the other reads, continues and ends.

use std::sync::atomic::{AtomicU32, Ordering};

use portcullis::{
    Account, Timestamp, User,
    store::{SessionKey, Store, StoreErrorKind, StoredSession, UserChange, VerificationToken},
};
use serde_json::{Value, json};

use crate::peer::Peer;

/// So many seconds and 120 milliseconds after the session began: neither side may lose the milliseconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_768_478_400_120 + seconds * 1000)
}

fn soon() -> Timestamp {
    at(60)
}

fn later() -> Timestamp {
    at(3600)
}

/// Runs all of it on a database of which nothing is known but that both sides use it.
pub async fn holds(node: &mut Peer, store: &dyn Store) {
    users(node, store).await;
    changed_addresses(node, store).await;
    accounts(node, store).await;
    sessions_of_node(node, store).await;
    sessions_of_ours(node, store).await;
    deleted_users(node, store).await;
    verification_tokens(node, store).await;
    missing_rows(node, store).await;
}

async fn users(node: &mut Peer, store: &dyn Store) {
    let theirs = node.create_user(&somebody().email_verified(soon()));
    same(&store.user(&theirs.id).await.unwrap(), &theirs);
    same(&store.user_by_email(email(&theirs)).await.unwrap(), &theirs);

    let ours = store.create_user(&somebody().image("https://img.example/1.png"), None).await.unwrap();
    same(&node.user(&ours.id), &ours);
    same(&node.user_by_email(email(&ours)), &ours);

    let mut change = UserChange::default();
    change.name = Some("Ours \u{2028} 日本".to_owned());
    change.email_verified = Some(later());
    let changed = store.update_user(&theirs.id, change).await.unwrap();
    let read = node.user(&theirs.id);
    same(&read, changed.as_ref().unwrap());
    assert_eq!(
        (read.as_ref().unwrap().email_verified, email(read.as_ref().unwrap())),
        (Some(later()), email(&theirs))
    );

    let changed = node.update_user(&ours.id, json!({ "name": "Theirs \"'\\", "emailVerified": soon() }));
    same(&store.user(&ours.id).await.unwrap(), &changed);
    assert_eq!((changed.email_verified, &changed.image), (Some(soon()), &ours.image));
}

/// Nobody is found any more by an address that they have given up, whichever side has noted that.
async fn changed_addresses(node: &mut Peer, store: &dyn Store) {
    let user = node.create_user(&somebody());
    let (second, third) = (somebody().email.unwrap(), somebody().email.unwrap());
    let moved = node.update_user(&user.id, json!({ "email": second }));
    same(&store.user_by_email(&second).await.unwrap(), &moved);
    assert!(store.user_by_email(email(&user)).await.unwrap().is_none());

    let mut change = UserChange::default();
    change.email = Some(third.clone());
    let moved = store.update_user(&user.id, change).await.unwrap().unwrap();
    same(&node.user_by_email(&third), &moved);
    assert!(node.user_by_email(&second).is_none());
    assert!(store.user_by_email(&second).await.unwrap().is_none());
}

async fn accounts(node: &mut Peer, store: &dyn Store) {
    let theirs = node.create_user(&somebody());
    let (first, mut second) = (account("acme", true), account("github", false));
    node.link_account(&theirs.id, &first);
    same(&store.user_by_account("acme", &first.provider_account_id).await.unwrap(), &theirs);
    assert!(store.accounts_of(&theirs.id).await.unwrap() == [first.clone()], "with all tokens");

    store.link_account(&theirs.id, &second).await.unwrap();
    same(&node.user_by_account(&second), &theirs);
    let after = account("github", true).tokens;
    let replace = |of: &Account, before, after| {
        let (provider, id) = (of.provider.clone(), of.provider_account_id.clone());
        async move { store.replace_tokens(&provider, &id, before, after).await.unwrap() }
    };
    assert!(replace(&first, &first.tokens, &second.tokens).await);
    assert!(replace(&second, &second.tokens, &after).await);
    assert!(!replace(&first, &first.tokens, &after).await, "it has none any more");
    same(&node.user_by_account(&first), &theirs);
    second.tokens = after;
    node.unlink_account(&first);
    assert!(store.user_by_account("acme", &first.provider_account_id).await.unwrap().is_none());
    assert!(store.accounts_of(&theirs.id).await.unwrap() == [second.clone()]);
    assert!(store.unlink_account("github", &second.provider_account_id).await.unwrap());
    assert!(node.user_by_account(&second).is_none());

    // Made together with the user, and not twice.
    let third = account("acme", true);
    let ours = store.create_user(&somebody(), Some(&third)).await.unwrap();
    same(&node.user_by_account(&third), &ours);
    let refused = store.link_account(&theirs.id, &third).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Conflict);
    same(&node.user_by_account(&third), &ours);
}

/// Begun by Node, continued and ended here.
async fn sessions_of_node(node: &mut Peer, store: &dyn Store) {
    let user = node.create_user(&somebody());
    let token = unique("node-session");
    let key = SessionKey::new(token.as_str());
    let session = node.create_session(&token, &user.id, soon());
    let read = store.session(&key).await.unwrap().unwrap();
    assert_eq!((read.user_id.as_str(), read.expires, read.created), (user.id.as_str(), soon(), None));
    assert!(session.key == read.key);
    let read = store.session_and_user(&key).await.unwrap().unwrap();
    same(&Some(User::clone(&read.user)), &user);
    assert!(store.sessions_of(&user.id).await.unwrap().iter().any(|session| session.key == key));

    assert!(store.extend_session(&key, later(), at(0)).await.unwrap());
    assert_eq!(node.session_and_user(&token).unwrap().0.expires, later());
    assert!(!store.extend_session(&key, soon(), at(0)).await.unwrap(), "it ends later already");
    assert_eq!(node.session_and_user(&token).unwrap().0.expires, later());

    assert!(store.end_session(&key).await.unwrap());
    assert!(node.session_and_user(&token).is_none());
    node.update_session(&token, later());
    assert!(store.session(&key).await.unwrap().is_none(), "nothing comes back");

    // Among others of the user.
    let (kept, token) = (unique("kept"), unique("ended"));
    node.create_session(&kept, &user.id, later());
    node.create_session(&token, &user.id, later());
    let keep = SessionKey::new(kept.as_str());
    store.end_sessions_of(&user.id, Some(&keep)).await.unwrap();
    assert!(node.session_and_user(&kept).is_some());
    assert!(node.session_and_user(&token).is_none());
}

/// Begun here, continued and ended by Node.
async fn sessions_of_ours(node: &mut Peer, store: &dyn Store) {
    let user = store.create_user(&somebody(), None).await.unwrap();
    let token = unique("our-session");
    let key = SessionKey::new(token.as_str());
    let mut session = StoredSession::new(key.clone(), user.id.as_str(), soon());
    session.created = Some(at(0));
    store.create_session(&session, None).await.unwrap();
    let (read, whose) = node.session_and_user(&token).unwrap();
    assert_eq!((read.user_id, read.expires), (user.id.clone(), soon()));
    same(&Some(whose), &user);

    let written = store.session(&key).await.unwrap().unwrap();
    node.update_session(&token, later());
    let read = store.session(&key).await.unwrap().unwrap();
    assert_eq!(read.expires, later());
    assert_eq!(
        (read.created, read.version),
        (written.created, written.version),
        "what Node does not know stays"
    );
    assert!(read.data == written.data);

    node.delete_session(&token);
    assert!(store.session(&key).await.unwrap().is_none());
    assert!(store.session_and_user(&key).await.unwrap().is_none());
    assert!(store.sessions_of(&user.id).await.unwrap().is_empty());
    assert!(!store.extend_session(&key, at(7200), later()).await.unwrap());
    assert!(node.session_and_user(&token).is_none(), "nothing comes back");
}

async fn deleted_users(node: &mut Peer, store: &dyn Store) {
    for by_node in [true, false] {
        let (linked, token) = (account("acme", false), unique("session-of-nobody"));
        let key = SessionKey::new(token.as_str());
        let user = node.create_user(&somebody());
        node.link_account(&user.id, &linked);
        node.create_session(&token, &user.id, later());
        if by_node {
            node.delete_user(&user.id);
        } else {
            assert!(store.delete_user(&user.id).await.unwrap());
        }
        assert!(store.user(&user.id).await.unwrap().is_none() && node.user(&user.id).is_none());
        assert!(store.user_by_email(email(&user)).await.unwrap().is_none());
        assert!(node.user_by_email(email(&user)).is_none());
        assert!(store.user_by_account("acme", &linked.provider_account_id).await.unwrap().is_none());
        assert!(node.user_by_account(&linked).is_none());
        assert!(store.session_and_user(&key).await.unwrap().is_none());
        assert!(node.session_and_user(&token).is_none());
        // The address and the account are free again.
        let again = store.create_user(&User::new("").email(email(&user)), Some(&linked)).await.unwrap();
        same(&node.user_by_account(&linked), &again);
    }
}

async fn verification_tokens(node: &mut Peer, store: &dyn Store) {
    let (theirs, ours) = (one_time(), one_time());
    node.create_verification_token(&theirs);
    assert!(
        store.use_verification_token(&theirs.identifier, &theirs.token).await.unwrap()
            == Some(theirs.clone())
    );
    assert!(node.use_verification_token(&theirs.identifier, &theirs.token).is_none());

    store.create_verification_token(&ours).await.unwrap();
    let refused = store.create_verification_token(&ours).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Conflict);
    assert!(node.use_verification_token(&ours.identifier, &ours.token) == Some(ours.clone()));
    assert!(store.use_verification_token(&ours.identifier, &ours.token).await.unwrap().is_none());
}

async fn missing_rows(node: &mut Peer, store: &dyn Store) {
    let nobodys = account("acme", false);
    for id in ["999999", "not-a-number", "9b2f7c3e-6a53-4b62-9e0a-2f1d3c4b5a69"] {
        assert!(node.user(id).is_none());
        assert!(store.user(id).await.unwrap().is_none());
    }
    assert!(node.user_by_account(&nobodys).is_none() && node.session_and_user("none").is_none());
    node.delete_session("none");
    node.update_session("none", later());
    node.unlink_account(&nobodys);
    assert!(!store.end_session(&SessionKey::new("none")).await.unwrap());
    assert!(!store.unlink_account("acme", &nobodys.provider_account_id).await.unwrap());
}

fn same(found: &Option<User>, expected: &User) {
    let shown = |user: &User| -> Value {
        json!({ "id": user.id, "name": user.name, "email": user.email, "emailVerified": user.email_verified,
            "image": user.image })
    };
    assert_eq!(found.as_ref().map(shown), Some(shown(expected)));
}

fn unique(stem: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{stem}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn somebody() -> User {
    User::new("").name("Zoë O'Hara").email(format!("{}@example.com", unique("zoe")))
}

fn email(user: &User) -> &str {
    user.email.as_deref().unwrap()
}

fn account(provider: &str, with_tokens: bool) -> Account {
    let mut account = Account::new("oauth", provider, unique("account"));
    if with_tokens {
        account.tokens.access_token = Some("access".to_owned());
        account.tokens.refresh_token = Some("refresh".to_owned());
        account.tokens.id_token = Some("a.b.c".to_owned());
        account.tokens.expires_at = Some(1_768_482_000);
        account.tokens.token_type = Some("bearer".to_owned());
        account.tokens.scope = Some("openid email".to_owned());
        account.tokens.session_state = Some("state".to_owned());
    }
    account
}

fn one_time() -> VerificationToken {
    VerificationToken::new(format!("{}@example.com", unique("mail")), unique("hash"), soon())
}
