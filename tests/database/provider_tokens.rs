//! Tokens of providers: one refresh for all who ask, on each store.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use portcullis::{
    Account, Auth, AuthBuilder, Clock, Event, OriginPolicy, ProviderTokenErrorKind as Kind, Secret,
    SystemClock, User, store::Store,
};

use crate::{
    backend::Backend,
    gate::Gate,
    provider::{Mood, Provider},
    site::Waiting,
    stores::on_each_store,
    support::{ManualClock, SECRET},
};

on_each_store!(
    s45_fifty_requests_cause_one_refresh,
    s45_instances_cause_one_refresh,
    s45_a_refused_refresh_is_not_tried_again,
    s45_what_is_not_given_anew_stays,
    s45_a_crash_between_answer_and_store,
    s45_short_lived_tokens_are_given_once,
    s45_instances_share_short_lived_tokens,
    s45_tokens_become_short_lived,
    s45_a_fault_is_shared,
    s46_nobody_gets_the_token_of_another,
    a_provider_that_is_down_is_asked_again,
    s44_sealed_at_rest,
);

fn builder(store: &Arc<dyn Store>, provider: &str) -> AuthBuilder {
    Auth::builder(Secret::new(SECRET))
        .origin(OriginPolicy::fixed("http://127.0.0.1").unwrap())
        .provider(Provider::at(provider))
        .store(Arc::clone(store))
}

fn auth(store: &Arc<dyn Store>, provider: &Provider) -> Auth {
    builder(store, &provider.url).build().unwrap()
}

/// Makes a user whose access token is over.
async fn expired(store: &Arc<dyn Store>, provider: &Provider, name: &str) -> String {
    let mut account = Account::new("oauth", "acme", name);
    account.tokens.access_token = Some(format!("old access of {name}"));
    account.tokens.refresh_token = Some(provider.hand_out(name));
    account.tokens.expires_at = Some(1);
    store.create_user(&User::new(""), Some(&account)).await.unwrap().id
}

/// What so many who ask at once are given.
async fn asked_at_once(auth: &Auth, user: &str, count: usize) -> BTreeSet<String> {
    let asking: Vec<_> = (0..count)
        .map(|_| {
            let (auth, user) = (auth.clone(), user.to_owned());
            tokio::spawn(async move { auth.provider_token(&user, "acme").await.unwrap().access_token })
        })
        .collect();
    let mut tokens = BTreeSet::new();
    for asking in asking {
        tokens.insert(asking.await.unwrap());
    }
    tokens
}

async fn s45_fifty_requests_cause_one_refresh(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    let auth = auth(&store, &provider);
    let user = expired(&store, &provider, "ann").await;
    for round in 1..=2 {
        let tokens = asked_at_once(&auth, &user, 50).await;
        assert_eq!((tokens.len(), provider.asked()), (1, 1), "round {round}: {tokens:?}");
    }
    let stored = store.accounts_of(&user).await.unwrap().remove(0).tokens;
    assert!(stored.access_token.unwrap().starts_with("access of ann") && stored.expires_at.unwrap() > 1);
    for (provider, user, expected) in
        [("other", &*user, Kind::UnknownProvider), ("acme", "nobody", Kind::NotLinked)]
    {
        assert_eq!(auth.provider_token(user, provider).await.unwrap_err().kind(), expected);
    }
}

/// Likewise with three `Auth`s on one store, which know nothing of each other.
async fn s45_instances_cause_one_refresh(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    let user = expired(&store, &provider, "ann").await;
    let instances = [(); 3].map(|()| auth(&store, &provider));
    let (one, two, three) = tokio::join!(
        asked_at_once(&instances[0], &user, 17),
        asked_at_once(&instances[1], &user, 17),
        asked_at_once(&instances[2], &user, 16),
    );
    assert!(one.len() == 1 && one == two && two == three, "{one:?} {two:?} {three:?}");
    assert_eq!((provider.asked(), provider.refused()), (1, 0));
}

async fn s45_a_refused_refresh_is_not_tried_again(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&told);
    let auth = builder(&store, &provider.url).on_event(move |event| {
        let events = Arc::clone(&events);
        async move {
            if let Event::ProviderTokenRefused { user_id, provider } = event {
                events.lock().unwrap().push((user_id, provider));
            }
            Ok(())
        }
    });
    let auth = auth.build().unwrap();
    let mut account = Account::new("oauth", "acme", "ann");
    account.tokens.refresh_token = Some("a refresh token that was taken back".to_owned());
    let user = store.create_user(&User::new(""), Some(&account)).await.unwrap().id;
    for _ in 0..3 {
        let error = auth.provider_token(&user, "acme").await.unwrap_err();
        assert_eq!(error.kind(), Kind::SignInAgain);
    }
    assert_eq!(provider.refused(), 1);
    assert_eq!(*told.lock().unwrap(), [(user, "acme".to_owned())]);
}

async fn s45_what_is_not_given_anew_stays(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    provider.be(Mood::Keeping);
    let auth = auth(&store, &provider);
    let user = expired(&store, &provider, "ann").await;
    let before = store.accounts_of(&user).await.unwrap().remove(0).tokens;
    auth.provider_token(&user, "acme").await.unwrap();
    let after = store.accounts_of(&user).await.unwrap().remove(0).tokens;
    assert_eq!(after.refresh_token, before.refresh_token);
    assert_ne!(after.access_token, before.access_token);
}

/// S45: a process that dies with the answer in its hand has used the refresh token up. The next one waits for its
/// lease to end, and says what is the matter rather than hang or loop.
async fn s45_a_crash_between_answer_and_store(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    provider.be(Mood::Slow);
    let user = expired(&store, &provider, "ann").await;
    let crashing = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (auth_there, user_there) = (auth(&store, &provider), user.clone());
    crashing.spawn(async move { auth_there.provider_token(&user_there, "acme").await });
    while provider.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    crashing.shutdown_background();

    provider.be(Mood::Rotating);
    // A minute later.
    let now = SystemClock.now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let clock = Waiting(ManualClock::at(now + 61));
    let auth = builder(&store, &provider.url).clock(clock).build().unwrap();
    let mut kind = Kind::Unavailable;
    // The crash took connections of the pool with it, which both have.
    for _ in 0..10 {
        if kind == Kind::Unavailable {
            kind = auth.provider_token(&user, "acme").await.unwrap_err().kind();
        }
    }
    assert_eq!(kind, Kind::SignInAgain);
    assert_eq!((provider.asked(), provider.refused()), (2, 1));
}

/// Tokens that are over within a minute are no reason to ask again and again.
async fn s45_short_lived_tokens_are_given_once(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    provider.be(Mood::Brief);
    let auth = auth(&store, &provider);
    let user = expired(&store, &provider, "ann").await;
    let tokens = asked_at_once(&auth, &user, 20).await;
    assert_eq!((tokens.len(), provider.asked()), (1, 1), "{tokens:?}");
}

/// Nor in instances that have waited while another one asked; all go on with what it was given, while that is good.
async fn s45_instances_share_short_lived_tokens(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    provider.be(Mood::Brief);
    provider.hold(true);
    let user = expired(&store, &provider, "ann").await;
    let time = ManualClock::at(SystemClock.now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64);
    let gates = [(); 3].map(|()| Gate::new(Arc::clone(&store)));
    let instances = gates.clone().map(|gate| {
        let store: Arc<dyn Store> = Arc::new(gate);
        builder(&store, &provider.url).clock(Waiting(time.clone())).build().unwrap()
    });
    let all_have_come = async {
        for gate in &gates {
            while !gate.calls().contains(&"create_verification_token") {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        provider.hold(false);
    };
    let (one, two, three, ()) = tokio::join!(
        asked_at_once(&instances[0], &user, 5),
        asked_at_once(&instances[1], &user, 5),
        asked_at_once(&instances[2], &user, 5),
        all_have_come,
    );
    assert!(one.len() == 1 && one == two && two == three, "{one:?} {two:?} {three:?}");
    assert_eq!((provider.asked(), provider.refused()), (1, 0));

    for (seconds, asked) in [(0, 1), (10, 1), (12, 1), (4, 2), (20, 2), (10, 3)] {
        time.advance(Duration::from_secs(seconds));
        let mut given = BTreeSet::new();
        for auth in &instances {
            given.insert(auth.provider_token(&user, "acme").await.unwrap().access_token);
        }
        assert_eq!((given.len(), provider.asked()), (1, asked), "{seconds} s later: {given:?}");
    }
}

/// Nor where longer ones were given before, once or ever so long ago.
async fn s45_tokens_become_short_lived(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    let user = expired(&store, &provider, "ann").await;
    let time = ManualClock::at(SystemClock.now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64);
    let auth = builder(&store, &provider.url).clock(Waiting(time.clone())).build().unwrap();
    for (mood, seconds, asked) in [
        (Mood::Brief, 0, 1),
        (Mood::Brief, 10, 1),
        (Mood::Rotating, 20, 2),
        (Mood::Brief, 3600, 3),
        (Mood::Brief, 0, 3),
        (Mood::Brief, 10, 3),
        (Mood::Brief, 20, 4),
        (Mood::Brief, 10, 4),
    ] {
        provider.be(mood);
        time.advance(Duration::from_secs(seconds));
        auth.provider_token(&user, "acme").await.unwrap();
        assert_eq!(provider.asked(), asked, "{mood:?}, {seconds} s later");
    }
}

/// Those who wait for a refresh that fails do not try one by one.
async fn s45_a_fault_is_shared(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    provider.be(Mood::Down);
    let auth = auth(&store, &provider);
    let user = expired(&store, &provider, "ann").await;
    let asking: Vec<_> = (0..30)
        .map(|_| {
            let (auth, user) = (auth.clone(), user.clone());
            tokio::spawn(async move { auth.provider_token(&user, "acme").await.unwrap_err().kind() })
        })
        .collect();
    for asking in asking {
        assert_eq!(asking.await.unwrap(), Kind::Unavailable);
    }
    assert!(provider.asked() <= 2, "{}", provider.asked());
}

async fn s46_nobody_gets_the_token_of_another(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    let auth = auth(&store, &provider);
    let mut asking = Vec::new();
    for name in ["ann", "bob", "cleo"] {
        let user = expired(&store, &provider, name).await;
        for _ in 0..10 {
            let (auth, user) = (auth.clone(), user.clone());
            asking.push((name, tokio::spawn(async move { auth.provider_token(&user, "acme").await })));
        }
    }
    for (name, asking) in asking {
        let token = asking.await.unwrap().unwrap().access_token;
        assert!(token.starts_with(&format!("access of {name}")), "{name} was given {token}");
    }
    assert_eq!(provider.asked(), 3);
}

async fn a_provider_that_is_down_is_asked_again(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    provider.be(Mood::Down);
    let auth = auth(&store, &provider);
    let user = expired(&store, &provider, "ann").await;
    let error = auth.provider_token(&user, "acme").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    provider.be(Mood::Rotating);
    assert!(auth.provider_token(&user, "acme").await.is_ok());
}

/// S44: with sealing on, nothing of a token can be read in the store, and a sealed one opens for its own account only.
async fn s44_sealed_at_rest(store: Arc<dyn Store>) {
    let provider = Provider::start().await;
    let auth = builder(&store, &provider.url).seal_provider_tokens(true).build().unwrap();
    let user = expired(&store, &provider, "ann").await;
    let token = auth.provider_token(&user, "acme").await.unwrap().access_token;
    let account = store.accounts_of(&user).await.unwrap().remove(0);
    for text in [&account.tokens.access_token, &account.tokens.refresh_token] {
        let text = text.as_ref().unwrap();
        assert!(
            !text.contains("access of") && !text.contains("refresh") && text.starts_with("portcullis:"),
            "{text}"
        );
    }
    assert_eq!(auth.provider_token(&user, "acme").await.unwrap().access_token, token);

    // Put into the row of another account.
    let mut other = account;
    other.provider_account_id = "mallory".to_owned();
    let other = store.create_user(&User::new(""), Some(&other)).await.unwrap().id;
    assert_eq!(auth.provider_token(&other, "acme").await.unwrap_err().kind(), Kind::SignInAgain);
    // Whoever has the rows and not the secret.
    let elsewhere = builder(&store, &provider.url).build().unwrap();
    assert_eq!(elsewhere.provider_token(&user, "acme").await.unwrap_err().kind(), Kind::SignInAgain);
}

/// How a process is told what to ask: the kind of store, its place, the provider, the user.
const ROLE: [&str; 4] = [
    "PORTCULLIS_ASKER_STORE",
    "PORTCULLIS_ASKER_PLACE",
    "PORTCULLIS_ASKER_PROVIDER",
    "PORTCULLIS_ASKER_USER",
];

/// S45: 51 who ask in three processes on one database.
async fn in_processes<B: Backend>() {
    let Some(place) = B::place().await else { return };
    let store: Arc<dyn Store> = Arc::new(B::open(&place).await);
    let provider = Provider::start().await;
    let user = expired(&store, &provider, "ann").await;
    let mut askers = [(); 3].map(|()| Asker::start([B::NAME, &place, &provider.url, &user]));
    askers.iter_mut().for_each(|asker| asker.says("asker is ready").map(drop).unwrap());
    askers.iter_mut().for_each(|asker| writeln!(asker.process.stdin.as_mut().unwrap(), "go").unwrap());
    let tokens =
        tokio::task::spawn_blocking(move || askers.map(|mut asker| asker.says("asker was given").unwrap()));
    let tokens = BTreeSet::from(tokens.await.unwrap());
    assert_eq!((tokens.len(), provider.asked(), provider.refused()), (1, 1, 0), "{tokens:?}");
    B::remove(&place).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn s45_processes_on_postgres_cause_one_refresh() {
    in_processes::<crate::postgres::Fixture>().await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn s45_processes_on_redis_cause_one_refresh() {
    in_processes::<crate::redis::Fixture>().await;
}

struct Asker {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Asker {
    fn start(role: [&str; 4]) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "provider_tokens::asker", "--nocapture", "--test-threads=1"])
            .envs(ROLE.into_iter().zip(role))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// Reads on until a line with these words, and answers the rest of the line.
    fn says(&mut self, words: &str) -> Option<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if let Some((_, rest)) = line.split_once(words) {
                return Some(rest.trim().to_owned());
            }
            line.clear();
        }
        None
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One of the processes; nothing in a run of the tests.
#[tokio::test(flavor = "multi_thread")]
async fn asker() {
    let Ok(kind) = env::var(ROLE[0]) else { return };
    let [place, provider, user] = [ROLE[1], ROLE[2], ROLE[3]].map(|name| env::var(name).unwrap());
    let store: Arc<dyn Store> = match kind.as_str() {
        #[cfg(feature = "postgres")]
        "postgres" => Arc::new(crate::postgres::Fixture::open(&place).await),
        #[cfg(feature = "redis")]
        "redis" => Arc::new(crate::redis::Fixture::open(&place).await),
        other => panic!("{other}"),
    };
    let auth = builder(&store, &provider).build().unwrap();
    println!("asker is ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let tokens = asked_at_once(&auth, &user, 17).await;
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    println!("asker was given {}", tokens.first().unwrap());
}
