//! What holds on each database, and on each layout of tables.

use std::{num::NonZeroUsize, time::Duration};

use portcullis::{
    Account, ProviderTokens, Timestamp, User,
    store::{
        RevocationStore, SessionKey, Store, StoreError, StoreErrorKind, StoredSession, UserChange,
        conformance::{Conformance, Outcome},
    },
};

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_768_478_400_000 + millis)
}

pub(crate) async fn user<S: Store>(store: &S, email: &str) -> User {
    store.create_user(&User::new("x").email(email), None).await.unwrap()
}

/// What tables of Auth.js can keep. Also without unique keys, among callers who all go through us.
pub(crate) async fn auth_js<S: Store + Clone>(store: &S) {
    auth_js_but(store, &[]).await;
}

/// Likewise, but for those checks that the types of somebody's columns do not allow.
pub(crate) async fn auth_js_but<S: Store + Clone>(store: &S, but: &[&str]) {
    let kit =
        Conformance::of(store.clone()).without_session_data().without_session_details().without_user_extra();
    judge(store, kit, but).await;
}

/// What an account's tokens are good for until, where its column is one of a time and not of seconds. Each time answers
/// what the database itself takes it for.
pub(crate) async fn tokens_end_at_a_time<S: Store>(store: &S, stored: impl AsyncFn() -> Option<i64>) {
    let user = user(store, "times@example.com").await;
    let tokens = |access: &str, end| {
        let mut tokens = ProviderTokens::default();
        (tokens.access_token, tokens.expires_at) = (Some(access.to_owned()), end);
        tokens
    };
    let (first, second) = (tokens("first", Some(1_768_482_000)), tokens("second", Some(1_768_485_601)));
    let mut account = Account::new("oauth", "acme", "1");
    account.tokens = first.clone();
    store.link_account(&user.id, &account).await.unwrap();
    let read = async || store.accounts_of(&user.id).await.unwrap().remove(0).tokens;
    assert!(read().await == first, "{:?}", read().await.expires_at);
    assert_eq!(stored().await, first.expires_at);
    for (before, after) in [(&first, second.clone()), (&second, tokens("third", None))] {
        assert!(store.replace_tokens("acme", "1", before, &after).await.unwrap());
        assert!(read().await == after, "{:?}", read().await.expires_at);
        assert_eq!(stored().await, after.expires_at);
    }
}

/// The checks that want to know what was made first: tables without numbers or times do not tell.
pub(crate) const UNORDERED: &[&str] = &[
    "accounts_are_answered_in_order",
    "s91_accounts_are_compared_exactly",
    "accounts_keep_their_tokens",
    "s26_sessions_of_a_user_are_listed_in_order",
    "s101_the_first_begun_are_ended",
    "s101_a_refused_session_ends_none",
];

/// Those of them among accounts.
pub(crate) const UNORDERED_ACCOUNTS: &[&str] = UNORDERED.split_at(3).0;

/// Everything.
pub(crate) async fn whole<S: Store + RevocationStore + Clone>(store: &S) {
    whole_but(store, &[]).await;
}

pub(crate) async fn whole_but<S: Store + RevocationStore + Clone>(store: &S, but: &[&str]) {
    judge(store, Conformance::of(store.clone()).and_revocations(store.clone()), but).await;
}

async fn judge<S: Store>(store: &S, kit: Conformance, but: &[&str]) {
    // An id that is counted is not to be the one that the kit asks for.
    let first = user(store, "first@example.com").await;
    for finding in kit.run().await.findings() {
        let is_excused = but.contains(&finding.check);
        assert!(is_excused || !matches!(finding.outcome, Outcome::Failed(_)), "{finding:?}");
    }
    odd_ids(store).await;
    assert!(store.delete_user(&first.id).await.unwrap());
}

/// Ids that this database cannot have made are nobody's, and no error.
async fn odd_ids<S: Store>(store: &S) {
    let ids = [
        "",
        "abc",
        "0",
        "-1",
        "007",
        "1e3",
        " 1",
        "99999999999999999999",
        "2147483648",
        "1;drop table users",
    ];
    let uuids =
        ["00000000-0000-0000-0000-000000000000", "{6f9619ff-8b86-d011-b42d-00c04fc964ff}", "nul\0in it", "é"];
    for id in ids.into_iter().chain(uuids) {
        assert_eq!(store.user(id).await.unwrap(), None, "{id:?}");
        assert_eq!(store.update_user(id, UserChange::default()).await.unwrap(), None, "{id:?}");
        assert!(!store.delete_user(id).await.unwrap(), "{id:?}");
        assert!(
            store.accounts_of(id).await.unwrap().is_empty()
                && store.sessions_of(id).await.unwrap().is_empty()
        );
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

/// S88: calls that are broken off anywhere leave nothing behind that is half done, and the store in order.
/// `witness` has connections of its own, and sees only what has been committed.
pub(crate) async fn broken_off<S: Store>(store: &S, witness: &S) {
    let account = Account::new("oauth", "broken", "1");
    let asked = User::new("x").email("broken@example.com");
    let mut made = 0;
    for micros in (0..60).map(|step| step * step * 4) {
        let work = async {
            // What the last round has sent may only now be done.
            let Ok(user) = store.create_user(&asked, Some(&account)).await else { return };
            let key = SessionKey::new(user.id.as_str());
            store
                .create_session(&StoredSession::new(key, &*user.id, at(0)), NonZeroUsize::new(2))
                .await
                .unwrap();
        };
        let _ = tokio::time::timeout(Duration::from_micros(micros), work).await;
        // In this order: the commit may come between the two.
        let by_email = witness.user_by_email("broken@example.com").await.unwrap();
        let by_account = witness.user_by_account("broken", "1").await.unwrap();
        let Some(user) = by_email else { continue };
        assert_eq!(by_account.as_ref(), Some(&user), "both or neither, after {micros} µs");
        made += 1;
        assert!(store.delete_user(&user.id).await.unwrap());
    }
    assert!(made > 0, "none came to its end");
    // What is written with the connections that are left is written.
    for number in 0..30 {
        let user = user(store, &format!("after{number}@example.com")).await;
        assert_eq!(witness.user(&user.id).await.unwrap().as_ref(), Some(&user));
        let key = SessionKey::new(format!("after{number}"));
        store.create_session(&StoredSession::new(key.clone(), &*user.id, at(0)), None).await.unwrap();
        assert!(witness.session(&key).await.unwrap().is_some());
        assert!(store.delete_user(&user.id).await.unwrap());
        assert_eq!(witness.user(&user.id).await.unwrap(), None);
    }
}

/// Who runs the site reads what refused, and where; and not with which password it was asked.
pub fn refused_at(place: &str, error: &StoreError) {
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let text = format!("{error:?}");
    assert!(text.contains(place) && text.contains("refused"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}
