//! Whose account it is: that of the provider's subject, to the letter.

use std::{collections::BTreeMap, sync::Arc};

use portcullis::{
    Dialect,
    store::{MemoryStore, Store, UserStore},
};
use serde_json::json;

use crate::{
    gate::{Crash, Gate},
    provider::Provider,
    site::{
        at_provider, begin, browser, builder, is_session, is_signed_in, oidc, param, sign_in, site_with_store,
    },
    time::Time,
};

/// S37: one subject at two providers is two people.
#[tokio::test]
async fn s37_a_subject_belongs_to_its_provider() {
    for dialect in Dialect::ALL {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let time = Time::at_noon();
        let (acme, other) = (Provider::start(&time), Provider::start(&time));
        let auth = site_with_store(&store, &time, &[("acme", &acme), ("other", &other)])
            .dialect(dialect)
            .build()
            .unwrap();
        // Even with the same name, and no address that could tell them apart.
        for provider in [&acme, &other] {
            provider.plan(|plan| plan.user = json!({ "sub": "1", "name": "Alice" }));
        }
        let (mut first, mut second, mut again) = (browser(&auth), browser(&auth), browser(&auth));
        is_signed_in("acme", &sign_in(&mut first, "acme").await);
        is_signed_in("other", &sign_in(&mut second, "other").await);
        is_signed_in("acme", &sign_in(&mut again, "acme").await);
        assert_ne!(first.who().await, second.who().await, "{dialect}");
        assert_eq!(first.who().await, again.who().await, "{dialect}");
    }
}

/// S37: nothing is folded, trimmed or normalised.
#[tokio::test]
async fn s37_subjects_are_compared_exactly() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site_with_store(&store, &time, &[("acme", &provider)]).build().unwrap();
    let subjects = [
        "alice",
        "Alice",
        "ALICE",
        " alice",
        "alice ",
        "alice\u{0}",
        "a\u{308}lice",
        "\u{e4}lice",
        "\u{ff41}lice",
        "alice\u{200b}",
        "\u{131}",
        "i",
        "\u{130}",
        "stra\u{df}e",
        "strasse",
        "1",
        "01",
        "1.0",
    ];
    let mut users = std::collections::BTreeSet::new();
    for subject in subjects {
        provider.plan(|plan| plan.user = json!({ "sub": subject }));
        let mut browser = browser(&auth);
        is_signed_in(subject, &sign_in(&mut browser, "acme").await);
        assert!(users.insert(browser.who().await), "{subject:?} is somebody else");
    }
    for subject in subjects {
        provider.plan(|plan| plan.user = json!({ "sub": subject }));
        let mut browser = browser(&auth);
        is_signed_in(subject, &sign_in(&mut browser, "acme").await);
        assert!(!users.insert(browser.who().await), "{subject:?} is not found again");
    }
}

/// S37: neither a name nor an address makes somebody the owner of an account, nor a change of them somebody else.
#[tokio::test]
async fn s37_addresses_change_and_subjects_do_not() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site_with_store(&store, &time, &[("acme", &provider)]).build().unwrap();
    let mut before = browser(&auth);
    is_signed_in("before", &sign_in(&mut before, "acme").await);
    provider.plan(|plan| {
        plan.user = json!({ "sub": "alice-1", "email": "alice@new.example", "email_verified": true })
    });
    let mut after = browser(&auth);
    is_signed_in("after", &sign_in(&mut after, "acme").await);
    assert_eq!(before.who().await, after.who().await);
    // Whoever has the old address at the provider now is somebody else, and not let in as the first one.
    provider.plan(|plan| {
        plan.user = json!({ "sub": "mallory", "email": "alice@example.com", "email_verified": true })
    });
    let mut other = browser(&auth);
    let answer = sign_in(&mut other, "acme").await;
    assert!(answer.header("location").unwrap().ends_with("error=OAuthAccountNotLinked"), "{answer:?}");
    assert_eq!(other.who().await, "nobody");
}

/// S37: without a store nothing tells the accounts of two providers apart: in v3 and v4 `sub` is the provider's bare
/// id, as the packages write it, so two providers that give the same id make one person of two. v5 gives each session a
/// new id. Whoever configures several providers so is told at the start.
#[tokio::test]
async fn s37_without_a_store() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = builder(&time).dialect(dialect).provider(oidc("acme", &provider)).build().unwrap();
        let mut browser = browser(&auth);
        is_signed_in("acme", &sign_in(&mut browser, "acme").await);
        let who = browser.who().await;
        assert!(if dialect == Dialect::V5 { who.len() == 36 } else { who == "alice-1" }, "{dialect}: {who}");
    }
}

/// S37: the start warns of ids that may be those of two people, and only of them.
#[tokio::test]
async fn s37_the_start_warns_of_bare_ids() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    for dialect in Dialect::ALL {
        for (ids, stored) in [(&["acme", "other"][..], false), (&["acme"], false), (&["acme", "other"], true)]
        {
            let site = builder(&time).dialect(dialect);
            let site = ids.iter().fold(site, |site, id| site.provider(oidc(id, &provider)));
            let site = if stored { site.store(MemoryStore::new()) } else { site };
            let warnings = site.build().unwrap().startup_report().warnings;
            let warns = warnings.iter().any(|warning| warning.contains("are one user"));
            let expected = ids.len() > 1 && !stored && dialect != Dialect::V5;
            assert_eq!(warns, expected, "{dialect}, {ids:?}, with a store: {stored}: {warnings:?}");
        }
    }
}

/// Whichever call of the store fails, nobody is signed in, nobody is half made, and the code says what was going on
/// (`docs/protocol.md` section 13.1).
#[tokio::test]
async fn a_store_that_fails_signs_nobody_in() {
    for (dialect, creation, others) in [
        (Dialect::V3, "OAuthCreateAccount", "Callback"),
        (Dialect::V4, "OAuthCreateAccount", "Callback"),
        (Dialect::V5, "Configuration", "Configuration"),
    ] {
        let time = Time::at_noon();
        let acme = Provider::start(&time);
        let mut told = BTreeMap::new();
        for call in 0.. {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let gate = Gate::new(Arc::clone(&store));
            let behind: Arc<dyn Store> = Arc::new(gate.clone());
            let auth = site_with_store(&behind, &time, &[("acme", &acme)]).dialect(dialect).build().unwrap();
            let mut browser = browser(&auth);
            let url = begin(&mut browser, "acme").await.unwrap();
            let back = at_provider(&url).await;
            gate.calls();
            gate.crash(call, Crash::Before);
            let answer = browser.get(&back).await;
            let Some(failed) = gate.calls().get(call).copied() else {
                is_signed_in("no call failed", &answer);
                break;
            };
            let code = param(answer.header("location").unwrap(), "error");
            assert!(!is_session(&answer), "{dialect}: {failed}");
            told.insert(failed, code);
            if failed == "create_user" {
                assert!(store.user_by_email("alice@example.com").await.unwrap().is_none(), "{dialect}");
            }
        }
        assert_eq!(told["create_user"], creation, "{dialect}: {told:?}");
        assert_eq!(told["user_by_account"], others, "{dialect}: {told:?}");
        assert!(told.len() >= 4, "{dialect}: {told:?}");
    }
}
