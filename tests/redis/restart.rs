//! A server that goes away, and comes back.

use std::time::Duration;

use portcullis::store::{RedisStore, SessionStore, Store, StoreErrorKind, UserStore};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Server, ada, key, session};

/// Connects once the server answers.
async fn connected(server: &Server) -> RedisStore {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match RedisStore::connect(&server.url()).await {
            Ok(store) => return store,
            Err(error) => assert!(Instant::now() < deadline, "{error:?}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The server answers anybody: a connection of the test's own, so that it is known from when on it does.
async fn is_back(server: &Server) -> Instant {
    drop(connected(server).await);
    Instant::now()
}

/// With its data lost, and with its data kept: unavailable while it is away, and right again within a second.
#[tokio::test]
async fn calls_fail_while_a_server_is_away_and_work_when_it_is_back() {
    for keeps in [false, true] {
        let Some(mut server) = Server::start(keeps) else { return };
        let store = connected(&server).await;
        let user = store.create_user(&ada("ada@example.com"), None).await.unwrap();
        store.create_session(&session("s", &user.id), None).await.unwrap();
        for _ in 0..3 {
            server.kill();
            for _ in 0..20 {
                let began = Instant::now();
                let error = store.session_and_user(&key("s")).await.unwrap_err();
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
                let error = store.create_user(&ada("eve@example.com"), None).await.unwrap_err();
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
                assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
            }
            assert!(server.run());
            let back = is_back(&server).await;
            let found = loop {
                match store.session_and_user(&key("s")).await {
                    Ok(found) => break found,
                    Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
                }
                assert!(back.elapsed() < Duration::from_secs(1), "{:?}", back.elapsed());
                sleep(Duration::from_millis(5)).await;
            };
            assert_eq!(found.is_some(), keeps, "what is kept is there, and what is lost is not");
            // Scripts are unknown to the new server; writing goes on as well.
            let other = session(&format!("s{}", back.elapsed().as_nanos()), &user.id);
            store.create_session(&other, Some(5.try_into().unwrap())).await.unwrap();
            assert_eq!(store.session(&other.key).await.unwrap(), Some(other));
        }
    }
}

/// A cluster whose only node goes away and comes back, and one that forgets the scripts.
#[tokio::test]
async fn a_cluster_comes_back_as_well() {
    let Some(mut server) = Server::start_cluster() else { return };
    let store = connected_cluster(&server).await;
    let user = store.create_user(&ada("ada@example.com"), None).await.unwrap();
    store.create_session(&session("s", &user.id), None).await.unwrap();
    server.command(redis::cmd("SCRIPT").arg("FLUSH"));
    store.create_session(&session("after the flush", &user.id), None).await.unwrap();
    for round in 0..2 {
        server.kill();
        for _ in 0..3 {
            let began = Instant::now();
            let error = store.session_and_user(&key("s")).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        }
        assert!(server.run());
        drop(connected_cluster(&server).await);
        let back = Instant::now();
        loop {
            match store.session_and_user(&key("s")).await {
                Ok(found) => break assert!(found.is_some()),
                Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
            }
            assert!(back.elapsed() < Duration::from_secs(2), "{:?}", back.elapsed());
        }
        store.create_session(&session(&round.to_string(), &user.id), None).await.unwrap();
        assert_eq!(store.sessions_of(&user.id).await.unwrap().len(), 3 + round);
    }
}

/// Connects once the cluster takes commands.
async fn connected_cluster(server: &Server) -> RedisStore {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(store) = RedisStore::connect_cluster([server.url()]).await
            && store.user("nobody").await.is_ok()
        {
            return store;
        }
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(20)).await;
    }
}

/// Nobody asks while the server restarts: those who read do not notice.
#[tokio::test]
async fn reading_does_not_notice_a_restart_in_between() {
    let Some(mut server) = Server::start(true) else { return };
    let store = connected(&server).await;
    let user = store.create_user(&ada("ada@example.com"), None).await.unwrap();
    store.create_session(&session("s", &user.id), None).await.unwrap();
    server.kill();
    assert!(server.run());
    is_back(&server).await;
    assert!(store.session_and_user(&key("s")).await.unwrap().is_some());
    server.kill();
    assert!(server.run());
    is_back(&server).await;
    assert_eq!(store.sessions_of(&user.id).await.unwrap().len(), 1);
}

/// A server that does not answer holds nobody up for longer than the time limit, and works when it goes on.
#[tokio::test]
async fn no_call_hangs_on_a_server_that_does_not_answer() {
    let Some(server) = Server::start(false) else { return };
    let store = connected(&server).await;
    let user = store.create_user(&ada("ada@example.com"), None).await.unwrap();
    store.create_session(&session("s", &user.id), None).await.unwrap();
    server.signal("-STOP");
    let limit = Duration::from_secs(5);
    let (one, other, url) = (key("s"), session("other", &user.id), server.url());
    let calls = futures_util::future::join3(
        timeout(limit, store.session_and_user(&one)),
        timeout(limit, store.create_session(&other, None)),
        timeout(Duration::from_secs(8), RedisStore::connect(&url)),
    );
    let (read, write, connect) = calls.await;
    server.signal("-CONT");
    for error in [
        read.expect("no call hangs").map(drop).unwrap_err(),
        write.expect("no call hangs").unwrap_err(),
        connect.expect("no call hangs").map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    }
    let began = Instant::now();
    while store.session_and_user(&key("s")).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
