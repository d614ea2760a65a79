//! One session for a whole application: when the server is asked, and what the application is told.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use portcullis::{
    Dialect, Timestamp,
    client::{
        Client, ClientErrorKind, CookieJar, Session, SessionProvider, SessionProviderBuilder, SessionState,
        SessionStatus::{self, Authenticated, Loading, Unauthenticated},
        SignInOptions, SignOutOptions,
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{task::yield_now, time::timeout};

use crate::{
    replies::{Replies, Reply, SAFETY_NET, idle},
    support::{DAY, ORIGIN},
    time::Time,
};

const HOUR: i64 = 3600;
const MINUTE: Duration = Duration::from_secs(60);

/// A server at which somebody is signed in for an hour, and visitors of it.
struct Stage {
    replies: Replies,
    time: Time,
    jar: CookieJar,
}

impl Stage {
    fn new() -> Self {
        let stage = Self { replies: Replies::new(), time: Time::at_noon(), jar: CookieJar::new() };
        stage.signed_in(HOUR);
        stage
    }

    /// The server says from now on that somebody is signed in, for so many seconds more.
    fn signed_in(&self, seconds: i64) {
        self.replies.set("session", Reply::json(&self.told(seconds)));
    }

    /// From now on, that nobody is.
    fn signed_out(&self) {
        self.replies.set("session", Reply::json(&json!({})));
    }

    /// From now on it does not answer.
    fn down(&self) {
        self.replies.set("session", Reply::down());
    }

    fn told(&self, seconds: i64) -> Value {
        let expires = Timestamp::from_secs(self.time.now() + seconds).to_string();
        json!({ "user": { "name": "J Smith" }, "expires": expires })
    }

    fn session(&self, seconds: i64) -> Session {
        serde_json::from_value(self.told(seconds)).unwrap()
    }

    fn client(&self) -> Client {
        self.client_at(ORIGIN)
    }

    fn client_at(&self, url: &str) -> Client {
        let client = Client::builder(url).dialect(Dialect::V4).jar(self.jar.clone());
        // No test is about the time limit.
        client
            .clock(self.time.clone())
            .http_client(self.replies.http())
            .time_limit(365 * DAY)
            .build()
            .unwrap()
    }

    fn provider(&self) -> SessionProviderBuilder {
        SessionProvider::builder(self.client())
    }

    /// Lets time pass, and answers how often the session has been read then.
    async fn reads_after(&self, seconds: i64) -> usize {
        self.time.pass(seconds);
        idle().await;
        self.replies.reads()
    }
}

/// Waits for the state.
pub async fn until<U: DeserializeOwned + Send + Sync + 'static>(
    provider: &SessionProvider<U>,
    status: SessionStatus,
) -> SessionState<U> {
    let mut state = provider.use_session();
    let reached = timeout(SAFETY_NET, state.wait_for(|state| state.status == status)).await;
    reached.unwrap_or_else(|_| panic!("never {status:?}")).unwrap().clone()
}

pub fn kind(state: &SessionState) -> Option<ClientErrorKind> {
    state.error.as_ref().map(|error| error.kind())
}

#[tokio::test(start_paused = true)]
async fn the_session_is_read_at_the_start() {
    let stage = Stage::new();
    let provider = stage.provider().start().unwrap();
    assert_eq!(provider.state().status, Loading);
    let state = until(&provider, Authenticated).await;
    assert_eq!(state.data.unwrap().user.name.as_deref(), Some("J Smith"));
    assert_eq!(stage.reads_after(0).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_not_asked_for() {
    let stage = Stage::new();
    let known = stage.provider().session(stage.session(HOUR)).start().unwrap();
    assert_eq!(known.state().status, Authenticated);
    let nobody = stage.provider().session(None).start().unwrap();
    assert_eq!(nobody.state().status, Unauthenticated);
    assert_eq!(stage.reads_after(0).await, 0);
}

#[tokio::test(start_paused = true)]
async fn the_interval_runs_while_there_is_a_session() {
    let stage = Stage::new();
    let provider = stage.provider().refetch_interval(MINUTE).start().unwrap();
    until(&provider, Authenticated).await;
    for (seconds, reads) in [(59, 1), (1, 2), (30, 2), (30, 3)] {
        assert_eq!(stage.reads_after(seconds).await, reads);
    }
    // The interval begins anew when somebody asks meanwhile.
    stage.time.pass(30);
    provider.refetch().await;
    for (seconds, reads) in [(59, 4), (1, 5)] {
        assert_eq!(stage.reads_after(seconds).await, reads);
    }
    stage.signed_out();
    assert_eq!(stage.reads_after(60).await, 6);
    assert_eq!(provider.state().status, Unauthenticated);
    assert_eq!(stage.reads_after(HOUR).await, 6, "nobody's session needs no renewal");
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_nothing_is_read_again() {
    let stage = Stage::new();
    let zero = stage.provider().refetch_interval(Duration::ZERO).start().unwrap();
    until(&zero, Authenticated).await;
    assert_eq!(stage.reads_after(HOUR - 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn v3_calls_them_keep_alive_and_client_max_age() {
    let stage = Stage::new();
    let builder = stage.provider().keep_alive(MINUTE).client_max_age(2 * MINUTE);
    let provider = builder.start().unwrap();
    until(&provider, Authenticated).await;
    assert_eq!(stage.reads_after(119).await, 1, "it is new enough");
    assert_eq!(stage.reads_after(1).await, 2);
}

#[tokio::test(start_paused = true)]
async fn offline_the_interval_stands_still() {
    let stage = Stage::new();
    let builder = stage.provider().refetch_interval(MINUTE);
    let provider = builder.refetch_when_offline(false).start().unwrap();
    until(&provider, Authenticated).await;
    provider.set_online(false);
    assert_eq!(stage.reads_after(600).await, 1);
    provider.set_online(true);
    assert_eq!(stage.reads_after(0).await, 2, "it catches up");
    assert_eq!(stage.reads_after(60).await, 3);
}

#[tokio::test(start_paused = true)]
async fn unless_it_is_told_to_go_on() {
    let stage = Stage::new();
    let provider = stage.provider().refetch_interval(MINUTE).start().unwrap();
    until(&provider, Authenticated).await;
    provider.set_online(false);
    assert_eq!(stage.reads_after(60).await, 2);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_is_told_anew() {
    let stage = Stage::new();
    let provider = stage.provider().client_max_age(MINUTE).start().unwrap();
    until(&provider, Authenticated).await;
    stage.time.pass(59);
    provider.focus().await;
    assert_eq!(stage.replies.reads(), 1, "it is new enough");
    stage.time.pass(1);
    provider.focus().await;
    assert_eq!(stage.replies.reads(), 2);
    stage.signed_out();
    stage.time.pass(60);
    provider.focus().await;
    assert_eq!((provider.state().status, stage.replies.reads()), (Unauthenticated, 3));
    stage.time.pass(60);
    provider.focus().await;
    assert_eq!(stage.replies.reads(), 3, "there is no session to look after");
}

#[tokio::test(start_paused = true)]
async fn unless_that_is_switched_off() {
    let stage = Stage::new();
    let provider = stage.provider().refetch_on_focus(false).start().unwrap();
    until(&provider, Authenticated).await;
    stage.time.pass(60);
    provider.focus().await;
    assert_eq!(stage.replies.reads(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_its_end_the_server_is_asked_once() {
    let stage = Stage::new();
    let provider = stage.provider().start().unwrap();
    until(&provider, Authenticated).await;
    assert_eq!(stage.reads_after(HOUR - 1).await, 1);
    stage.signed_out();
    assert_eq!(stage.reads_after(1).await, 2);
    let state = provider.state();
    assert_eq!((state.status, kind(&state)), (Unauthenticated, None));
    assert_eq!(stage.reads_after(HOUR).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_renewed_goes_on() {
    let stage = Stage::new();
    let provider = stage.provider().start().unwrap();
    until(&provider, Authenticated).await;
    stage.time.pass(HOUR - 1);
    stage.signed_in(HOUR);
    assert_eq!(stage.reads_after(1).await, 2);
    assert_eq!(provider.state().status, Authenticated);
    stage.signed_out();
    assert_eq!(stage.reads_after(HOUR).await, 3);
}

/// The clock of this machine is ahead: the server knows when its sessions end.
#[tokio::test(start_paused = true)]
async fn clocks_that_disagree_are_no_reason_to_ask_for_ever() {
    let stage = Stage::new();
    let provider = stage.provider().start().unwrap();
    until(&provider, Authenticated).await;
    assert_eq!(stage.reads_after(HOUR).await, 2);
    assert_eq!(stage.reads_after(HOUR).await, 2, "the server has said that it goes on");
    assert_eq!(provider.state().status, Authenticated);
    // Each read renews it, and each end is in the past by the clock here.
    for reads in 3..6 {
        stage.signed_in(-600 + reads);
        provider.focus().await;
        assert_eq!(stage.reads_after(1).await, usize::try_from(reads).unwrap());
        assert_eq!(provider.state().status, Authenticated);
    }
    // What was said last is not doubted because somebody cannot be asked.
    stage.down();
    let state = provider.refetch().await;
    assert_eq!((state.status, kind(&state)), (Authenticated, Some(ClientErrorKind::Unavailable)));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_handed_over_too_late_is_asked_for() {
    let stage = Stage::new();
    stage.signed_out();
    let provider = stage.provider().session(stage.session(-1)).start().unwrap();
    until(&provider, Unauthenticated).await;
    assert_eq!(stage.reads_after(HOUR).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_over_if_nobody_says_that_it_goes_on() {
    let stage = Stage::new();
    let provider = stage.provider().start().unwrap();
    until(&provider, Authenticated).await;
    stage.down();
    assert_eq!(stage.reads_after(HOUR).await, 2);
    let state = provider.state();
    assert_eq!((state.status, kind(&state)), (Unauthenticated, Some(ClientErrorKind::Unavailable)));
    assert!(state.data.is_none());
    assert_eq!(stage.reads_after(HOUR).await, 2);
    stage.signed_in(HOUR);
    provider.focus().await;
    let state = provider.state();
    assert_eq!((state.status, kind(&state)), (Authenticated, None), "it was not known who is there");
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_nothing_about_who_is_signed_in() {
    let stage = Stage::new();
    let provider = stage.provider().refetch_interval(MINUTE).start().unwrap();
    until(&provider, Authenticated).await;
    for reply in [Reply::down(), Reply::status(503)] {
        stage.replies.set("session", reply);
        let state = provider.refetch().await;
        assert_eq!(state.status, Authenticated);
        assert!(state.data.is_some() && state.error.is_some(), "{state:?}");
    }
    stage.signed_in(HOUR);
    stage.reads_after(60).await;
    let state = provider.state();
    assert_eq!((state.status, kind(&state)), (Authenticated, None), "the interval goes on");
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_the_start_is_not_for_ever() {
    let stage = Stage::new();
    stage.down();
    let provider = stage.provider().start().unwrap();
    let state = until(&provider, Unauthenticated).await;
    assert_eq!(kind(&state), Some(ClientErrorKind::Unavailable));
    stage.signed_in(HOUR);
    provider.focus().await;
    assert_eq!(provider.state().status, Authenticated);
}

#[tokio::test(start_paused = true)]
async fn who_requires_somebody_is_called() {
    let stage = Stage::new();
    stage.signed_out();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let called = Arc::clone(&calls);
    let required = stage.provider().required(move |url: &str| called.lock().unwrap().push(url.to_owned()));
    let provider = required.start().unwrap();
    let count = || calls.lock().unwrap().len();
    idle().await;
    assert_eq!((provider.state().status, count()), (Loading, 1));
    assert_eq!(
        calls.lock().unwrap()[0],
        "http://localhost:3000/api/auth/signin?error=SessionRequired&callbackUrl=http%3A%2F%2Flocalhost%3A3000"
    );
    provider.refetch().await;
    stage.down();
    let state = provider.refetch().await;
    assert_eq!((state.status, kind(&state)), (Loading, Some(ClientErrorKind::Unavailable)));
    assert_eq!(count(), 1, "it knows already");

    stage.signed_in(HOUR);
    let _ = provider.sign_in("credentials", SignInOptions::new(), &[]).await.unwrap();
    assert_eq!((provider.state().status, count()), (Authenticated, 1));
    stage.signed_out();
    provider.sign_out(SignOutOptions::new()).await.unwrap();
    assert_eq!((provider.state().status, count()), (Loading, 2));
}

#[tokio::test(start_paused = true)]
async fn but_not_because_of_a_failure() {
    let stage = Stage::new();
    stage.down();
    let calls = Arc::new(AtomicUsize::new(0));
    let called = Arc::clone(&calls);
    let required = stage.provider().required(move |_| {
        called.fetch_add(1, Ordering::Relaxed);
    });
    let provider = required.start().unwrap();
    let state = until(&provider, Unauthenticated).await;
    assert_eq!(kind(&state), Some(ClientErrorKind::Unavailable));
    stage.signed_in(HOUR);
    assert_eq!(provider.refetch().await.status, Authenticated);
    stage.down();
    stage.reads_after(HOUR).await;
    assert_eq!(provider.state().status, Unauthenticated, "the session is over, and nobody said so");
    assert_eq!(calls.load(Ordering::Relaxed), 0, "it is not known whether anybody is there");
}

#[tokio::test(start_paused = true)]
async fn many_that_ask_at_once_are_told_the_same() {
    let stage = Stage::new();
    let provider = stage.provider().session(None).start().unwrap();
    stage.replies.hold("session");
    let all = join_all((0..50).map(|_| provider.refetch()));
    let release = async {
        stage.replies.until_reads(1).await;
        idle().await;
        stage.replies.release();
    };
    let (states, ()) = tokio::join!(all, release);
    assert!(states.iter().all(|state| state.status == Authenticated));
    assert_eq!(stage.reads_after(0).await, 1);
    provider.refetch().await;
    assert_eq!(stage.replies.reads(), 2, "who asks later is told what is then");
}

#[tokio::test(start_paused = true)]
async fn providers_over_one_jar_follow_each_other() {
    let stage = Stage::new();
    stage.signed_out();
    let one = stage.provider().session(None).start().unwrap();
    let other = stage.provider().session(None).start().unwrap();
    let stranger = Stage::new();
    let elsewhere = stranger.provider().session(None).start().unwrap();
    idle().await;

    stage.signed_in(HOUR);
    let _ = one.sign_in("credentials", SignInOptions::new(), &[]).await.unwrap();
    assert_eq!(one.state().status, Authenticated, "its own state is the new one at once");
    until(&other, Authenticated).await;
    assert_eq!(stage.reads_after(0).await, 2, "each has read it once");

    let updated = json!({ "user": { "name": "John Smith" } });
    stage.replies.set("session", Reply::json(&updated));
    stage.replies.set("POST session", Reply::json(&updated));
    one.update(json!({ "name": "John Smith" })).await.unwrap();
    idle().await;
    assert_eq!(other.state().data.unwrap().user.name.as_deref(), Some("John Smith"));
    assert_eq!(stage.replies.reads(), 3, "the one was told by the update itself");

    stage.signed_out();
    other.sign_out(SignOutOptions::new()).await.unwrap();
    assert_eq!(other.state().status, Unauthenticated);
    until(&one, Unauthenticated).await;
    assert_eq!(stage.reads_after(0).await, 5);

    stage.signed_in(HOUR);
    stage.client().get_session().await.unwrap();
    until(&one, Authenticated).await;
    until(&other, Authenticated).await;
    stage.signed_out();
    stage.jar.clear().await;
    until(&one, Unauthenticated).await;
    until(&other, Unauthenticated).await;
    assert_eq!(stranger.replies.reads(), 0, "another jar is another visitor");
    assert_eq!(elsewhere.state().status, Unauthenticated);
}

/// The answer says what was before the sign-out.
#[tokio::test(start_paused = true)]
async fn a_slow_answer_does_not_undo_a_sign_out() {
    let stage = Stage::new();
    let provider = stage.provider().session(stage.session(HOUR)).start().unwrap();
    stage.replies.hold("session");
    let sign_out = async {
        stage.replies.until_reads(1).await;
        stage.signed_out();
        let signed_out = provider.sign_out(SignOutOptions::new());
        let release = async {
            idle().await;
            stage.replies.release();
        };
        tokio::join!(signed_out, release).0.unwrap()
    };
    let (_, _) = tokio::join!(provider.refetch(), sign_out);
    assert_eq!(provider.state().status, Unauthenticated);
    assert_eq!(stage.reads_after(0).await, 2);
}

/// The server has ended it, and then the network is gone.
#[tokio::test(start_paused = true)]
async fn a_sign_out_is_one_also_if_nobody_says_who_is_there_now() {
    let stage = Stage::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let known = || {
        let called = Arc::clone(&calls);
        let provider = stage.provider().session(stage.session(HOUR)).refetch_interval(MINUTE);
        provider.required(move |_: &str| {
            called.fetch_add(1, Ordering::Relaxed);
        })
    };
    let (one, other) = (known().start().unwrap(), known().start().unwrap());
    let of_another_server = SessionProvider::builder(stage.client_at("http://localhost:4000"));
    let of_another_server = of_another_server.session(stage.session(HOUR)).start().unwrap();
    idle().await;

    stage.down();
    one.sign_out(SignOutOptions::new()).await.unwrap();
    let is_over = |provider: &SessionProvider| {
        let state = provider.state();
        assert_eq!((state.status, kind(&state)), (Loading, Some(ClientErrorKind::Unavailable)));
        assert!(state.data.is_none());
    };
    is_over(&one);
    idle().await;
    is_over(&other);
    assert_eq!(of_another_server.state().status, Authenticated, "that session goes on");
    assert_eq!(calls.load(Ordering::Relaxed), 2, "each was told");

    stage.signed_out();
    for provider in [&one, &other] {
        let state = provider.refetch().await;
        assert_eq!((state.status, kind(&state)), (Loading, None));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 2, "each knew already");
}

#[tokio::test(start_paused = true)]
async fn so_is_that_of_a_client_beside_it() {
    for (signs_out, clears) in [(true, false), (true, true), (false, true)] {
        let stage = Stage::new();
        let provider = stage.provider().session(stage.session(HOUR)).start().unwrap();
        idle().await;
        stage.down();
        if signs_out {
            stage.client().sign_out(SignOutOptions::new()).await.unwrap();
        }
        if clears {
            stage.jar.clear().await;
        }
        let state = until(&provider, Unauthenticated).await;
        assert!(state.data.is_none());
    }
}

/// Whoever hears of it late may hear of a sign-in at once: nobody was away.
#[tokio::test(start_paused = true)]
async fn a_sign_out_before_a_sign_in_is_no_news() {
    let stage = Stage::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let called = Arc::clone(&calls);
    let provider = stage.provider().session(stage.session(HOUR)).required(move |_: &str| {
        called.fetch_add(1, Ordering::Relaxed);
    });
    let provider = provider.start().unwrap();
    idle().await;
    let signed_in = Reply::json(&json!({ "url": "http://localhost:3000/" }));
    stage.replies.set(
        "POST callback/credentials",
        signed_in.with_cookie("next-auth.session-token=2; Path=/; Max-Age=3600"),
    );
    stage.replies.hold("session");
    let again = async {
        stage.replies.until_reads(1).await;
        let beside = stage.client();
        beside.sign_out(SignOutOptions::new()).await.unwrap();
        idle().await;
        let _ = beside.sign_in("credentials", SignInOptions::new(), &[]).await.unwrap();
        idle().await;
        stage.replies.release();
    };
    tokio::join!(provider.refetch(), again);
    idle().await;
    let state = provider.state();
    assert_eq!((state.status, kind(&state)), (Authenticated, None));
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn an_update_is_the_new_state() {
    let stage = Stage::new();
    let provider = stage.provider().session(stage.session(HOUR)).start().unwrap();
    stage.replies.set("POST session", Reply::json(&json!({ "user": { "name": "John" } })));
    let updated = provider.update(json!({ "name": "John" })).await.unwrap().unwrap();
    assert_eq!(updated.user.name.as_deref(), Some("John"));
    assert!(Arc::ptr_eq(&updated, &provider.state().data.unwrap()));

    stage.replies.set("POST session", Reply::status(400));
    let error = provider.update(json!({})).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ClientErrorKind::Status, 400));
    let state = provider.state();
    assert_eq!(state.data.unwrap().user.name.as_deref(), Some("John"), "it stays what it was");
    assert!(state.error.is_none());
    assert_eq!(stage.replies.reads(), 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_not_updated_in_v4() {
    let stage = Stage::new();
    let provider = stage.provider().session(None).start().unwrap();
    assert!(provider.update(json!({ "name": "John" })).await.unwrap().is_none());
    assert!(stage.replies.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn servers_of_v3_update_nothing() {
    let stage = Stage::new();
    let client =
        Client::builder(ORIGIN).dialect(Dialect::V3).http_client(stage.replies.http()).build().unwrap();
    let provider = SessionProvider::builder(client).session(stage.session(HOUR)).start().unwrap();
    let error = provider.update(None).await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Unsupported);
    assert!(stage.replies.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_ends_with_its_last_clone() {
    let stage = Stage::new();
    let provider = stage.provider().refetch_interval(MINUTE).start().unwrap();
    let clone = provider.clone();
    let mut state = provider.use_session();
    until(&provider, Authenticated).await;
    drop(provider);
    assert_eq!(stage.reads_after(60).await, 2, "a clone is left");
    state.mark_unchanged();
    drop(clone);
    assert_eq!(stage.reads_after(HOUR).await, 2);
    state.changed().await.expect_err("nobody is left to change it");
}

/// It may end while it waits for an answer.
#[tokio::test(start_paused = true)]
async fn whenever_that_is() {
    let stage = Stage::new();
    stage.replies.hold("session");
    let provider = stage.provider().start().unwrap();
    let mut state = provider.use_session();
    stage.replies.until_reads(1).await;
    drop(provider);
    timeout(SAFETY_NET, state.changed()).await.unwrap().expect_err("nobody waits for the answer");
    yield_now().await;
    stage.replies.release();
    assert_eq!(stage.reads_after(0).await, 1);
}

#[test]
fn it_needs_a_runtime() {
    let error = Stage::new().provider().start().unwrap_err();
    assert!(error.to_string().contains("outside a Tokio runtime"), "{error}");
}

#[derive(Deserialize)]
struct Member {
    id: u64,
}

#[tokio::test(start_paused = true)]
async fn the_user_is_of_the_applications_type() {
    let stage = Stage::new();
    let told = json!({ "user": { "id": 7, "name": "canary" }, "expires": "2026-02-14T12:00:00.000Z" });
    stage.replies.set("session", Reply::json(&told));
    let provider = SessionProvider::builder(stage.client().typed::<Member>()).start().unwrap();
    let state = until(&provider, Authenticated).await;
    assert_eq!(state.data.unwrap().user.id, 7);

    let other = json!({ "user": { "id": "canary" }, "expires": "2026-02-14T12:00:00.000Z" });
    stage.replies.set("session", Reply::json(&other));
    let state = provider.refetch().await;
    let error = state.error.unwrap();
    assert_eq!((state.status, error.kind()), (Authenticated, ClientErrorKind::Shape), "what was known stays");
    let text = format!("{error} {error:?}");
    assert!(text.contains("Member") && !text.contains("canary"), "{text}");
}
