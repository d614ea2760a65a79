//! Seeing and ending sessions: rows S24 to S26 of `docs/security.md`.

use std::sync::Arc;

use portcullis::{
    Client, SessionIds,
    store::{MemoryStore, Store},
};

use crate::{
    site::{COOKIE, act, browser, site},
    stores::on_each_store,
    support::NOW,
};

on_each_store![
    s24_deleting_a_user_ends_their_sessions_everywhere,
    s24_deleting_a_user_ends_their_sessions_in_another_store,
    s25_all_other_sessions_end,
    s26_lists_show_no_more_than_they_should,
    s26_nothing_in_a_list_authenticates,
    s26_nobody_ends_the_sessions_of_others,
    s26_the_handle_of_another_user_ends_nothing,
];

async fn s24_deleting_a_user_ends_their_sessions_everywhere(store: Arc<dyn Store>) {
    let nodes: Vec<_> = (0..3).map(|_| site(&store).1.build().unwrap()).collect();
    let mut browsers: Vec<_> = nodes.iter().map(browser).collect();
    for browser in &mut browsers {
        browser.sign_in("jsmith", "hunter2").await;
    }
    let mut other = browser(&nodes[0]);
    other.sign_in("admin", "hunter2").await;
    let who = browsers[0].who().await;
    assert!(nodes[1].delete_user(&who).await.unwrap());
    assert!(!nodes[1].delete_user(&who).await.unwrap());
    for browser in &browsers {
        for node in &nodes {
            let mut replay = self::browser(node).with_cookie(COOKIE, &browser.jar[COOKIE]);
            assert_eq!(replay.who().await, "nobody");
        }
    }
    assert!(store.sessions_of(&who).await.unwrap().is_empty());
    assert_ne!(other.who().await, "nobody");
    // Who comes again is a new user.
    browsers[0].sign_in("jsmith", "hunter2").await;
    assert_ne!(browsers[0].who().await, who);
}

/// Sessions in one store, users in another.
async fn s24_deleting_a_user_ends_their_sessions_in_another_store(users: Arc<dyn Store>) {
    let sessions: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let auth = site(&users).1.session_store(Arc::clone(&sessions)).build().unwrap();
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    let who = here.who().await;
    assert!(users.sessions_of(&who).await.unwrap().is_empty());
    assert_eq!(sessions.sessions_of(&who).await.unwrap().len(), 1);
    assert!(auth.delete_user(&who).await.unwrap());
    assert_eq!(here.who().await, "nobody");
    assert!(sessions.sessions_of(&who).await.unwrap().is_empty());
    // A session whose user went away in any other way is nobody's either.
    here.sign_in("jsmith", "hunter2").await;
    let who = here.who().await;
    users.delete_user(&who).await.unwrap();
    assert_eq!(here.who().await, "nobody");
}

async fn s25_all_other_sessions_end(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut browsers = [browser(&auth), browser(&auth), browser(&auth)];
    for browser in &mut browsers {
        browser.sign_in("jsmith", "hunter2").await;
    }
    let mut other = browser(&auth);
    other.sign_in("admin", "hunter2").await;
    let [here, there, elsewhere] = &mut browsers;
    let who = here.who().await;
    act(&auth, here, async |context| context.end_other_sessions().await.unwrap()).await;
    assert_eq!([here.who().await, there.who().await, elsewhere.who().await], [&*who, "nobody", "nobody"]);
    assert_ne!(other.who().await, "nobody");
    act(&auth, here, async |context| context.end_all_sessions().await.unwrap()).await;
    assert!(!here.jar.contains_key(COOKIE));
    assert!(store.sessions_of(&who).await.unwrap().is_empty());
}

async fn s26_lists_show_no_more_than_they_should(store: Arc<dyn Store>) {
    let auth = site(&store).1.record_clients(Client::of_request).build().unwrap();
    let mut browser = browser(&auth).with_header("user-agent", "Lynx/2.9");
    browser.sign_in("jsmith", "hunter2").await;
    let mut second = self::browser(&auth);
    second.sign_in("jsmith", "hunter2").await;
    let list = act(&auth, &mut browser, async |context| context.sessions().await.unwrap()).await;
    assert_eq!(list.len(), 2);
    let current: Vec<_> = list.iter().filter(|session| session.current).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0].user_agent.as_deref(), Some("Lynx/2.9"));
    assert_eq!(current[0].created.unwrap().as_secs(), NOW);
    for session in &list {
        assert_eq!(self::browser(&auth).with_cookie(COOKIE, &session.handle).who().await, "nobody");
        assert!(!format!("{session:?}").contains("Lynx"));
    }
    // Whoever runs the site sees the same, and no session as theirs.
    let who = browser.who().await;
    let seen = auth.sessions_of(&who).await.unwrap();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|session| !session.current));
    assert!(
        act(&auth, &mut self::browser(&auth), async |context| context.sessions().await.unwrap())
            .await
            .is_empty()
    );
}

/// All that a page or an answer could show of it, whether the ids in the store are hashed or raw.
async fn s26_nothing_in_a_list_authenticates(store: Arc<dyn Store>) {
    for ids in [SessionIds::Hashed, SessionIds::Raw] {
        let auth = site(&store).1.session_ids(ids).record_clients(Client::of_request).build().unwrap();
        let mut browsers = [browser(&auth), browser(&auth)];
        for browser in &mut browsers {
            browser.sign_in("jsmith", "hunter2").await;
        }
        let [here, there] = &mut browsers;
        let who = here.who().await;
        let list = act(&auth, here, async |context| context.sessions().await.unwrap()).await;
        let shown = serde_json::json!(
            list.iter()
                .map(|session| {
                    let times = [session.created, session.last_seen, Some(session.expires)];
                    let times = times.map(|time| time.map(|time| time.to_string()));
                    (&session.handle, session.current, times, &session.address, &session.user_agent)
                })
                .collect::<Vec<_>>()
        );
        let (shown, debug) = (shown.to_string(), format!("{list:?}"));
        let rows = store.sessions_of(&who).await.unwrap();
        for secret in [&here.jar[COOKIE], &there.jar[COOKIE]].into_iter().map(String::as_str) {
            assert!(!shown.contains(secret) && !debug.contains(secret));
        }
        assert!(
            rows.iter().all(|row| !shown.contains(row.key.as_str()) && !debug.contains(row.key.as_str()))
        );
        for text in shown.split('"').chain(debug.split('"')).filter(|text| text.len() > 1) {
            let Ok(header) = http::HeaderValue::from_str(&format!("{COOKIE}={text}")) else { continue };
            let mut thief = self::browser(&auth);
            thief.headers.insert(http::header::COOKIE, header);
            assert_eq!(thief.who().await, "nobody", "{text}");
            let mut thief = self::browser(&auth).with_header("authorization", &format!("Bearer {text}"));
            assert_eq!(thief.who().await, "nobody", "{text}");
        }
        auth.end_sessions_of(&who).await.unwrap();
    }
}

async fn s26_nobody_ends_the_sessions_of_others(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let (mut mine, mut too, mut theirs) = (browser(&auth), browser(&auth), browser(&auth));
    mine.sign_in("jsmith", "hunter2").await;
    too.sign_in("jsmith", "hunter2").await;
    theirs.sign_in("admin", "hunter2").await;
    let handle = async |browser: &mut crate::support::Browser| {
        let list = act(&auth, browser, async |context| context.sessions().await.unwrap()).await;
        list.into_iter().find(|session| session.current).unwrap().handle
    };
    let (foreign, own) = (handle(&mut theirs).await, handle(&mut too).await);
    for (wanted, ended) in [(foreign, false), (own.clone(), true), (own, false), ("nonsense".into(), false)] {
        let answer = act(&auth, &mut mine, move |context| {
            let wanted = wanted.clone();
            async move { context.end_session(&wanted).await.unwrap() }
        })
        .await;
        assert_eq!(answer, ended);
    }
    assert_ne!(theirs.who().await, "nobody");
    assert_ne!(mine.who().await, "nobody");
    assert_eq!(too.who().await, "nobody");
}

/// Nor for who runs the site: a handle counts together with its user only.
async fn s26_the_handle_of_another_user_ends_nothing(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let (mut mine, mut theirs) = (browser(&auth), browser(&auth));
    mine.sign_in("jsmith", "hunter2").await;
    theirs.sign_in("admin", "hunter2").await;
    let (me, they) = (mine.who().await, theirs.who().await);
    let handle = auth.sessions_of(&they).await.unwrap().remove(0).handle;
    for user in [&*me, "", "nobody", &*they.to_uppercase().replace('-', "_")] {
        assert!(!auth.end_session(user, &handle).await.unwrap(), "{user}");
    }
    // Nor is the key of a row, or a cookie, a handle.
    let key = store.sessions_of(&they).await.unwrap().remove(0).key;
    assert!(!auth.end_session(&they, key.as_str()).await.unwrap());
    assert!(!auth.end_session(&they, &theirs.jar[COOKIE]).await.unwrap());
    assert_eq!(theirs.who().await, they);
    // One, and then all.
    assert!(auth.end_session(&they, &handle).await.unwrap());
    assert_eq!([theirs.who().await, mine.who().await], ["nobody", &*me]);
    theirs.sign_in("admin", "hunter2").await;
    auth.end_sessions_of(&they).await.unwrap();
    assert_eq!([theirs.who().await, mine.who().await], ["nobody", &*me]);
}
