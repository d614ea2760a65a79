//! One store and several processes: each is this test binary again, told by its environment what to do.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use portcullis::{
    Timestamp,
    store::{VerificationToken, VerificationTokenStore, conformance::race_for_token},
};

const PROCESSES: usize = 5;
const RACERS: usize = 10;

/// How a process is told what it races for: the kind of store, its place, the identifier, the token.
const ROLE: [&str; 4] =
    ["PORTCULLIS_RACER_STORE", "PORTCULLIS_RACER_PLACE", "PORTCULLIS_RACER_FOR", "PORTCULLIS_RACER_TOKEN"];

/// S48: of 50 racers in five processes one gets the token. Says how many did.
pub async fn winners(name: &str, place: &str, store: &dyn VerificationTokenStore) -> usize {
    let unique = format!("{:?}-{}", SystemTime::now(), std::process::id());
    let token =
        VerificationToken::new(format!("{name} {unique}"), "the token", Timestamp::from_secs(i64::MAX));
    store.create_verification_token(&token).await.unwrap();
    let mut racers: Vec<_> =
        (0..PROCESSES).map(|_| Racer::start([name, place, &token.identifier, &token.token])).collect();
    racers.iter_mut().for_each(Racer::wait_until_ready);
    racers.iter_mut().for_each(Racer::go);
    racers.into_iter().map(Racer::won).sum()
}

struct Racer {
    process: Child,
    says: BufReader<std::process::ChildStdout>,
}

impl Racer {
    fn start(role: [&str; 4]) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "processes::racer", "--nocapture", "--test-threads=1"])
            .envs(ROLE.into_iter().zip(role))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        Self { process, says }
    }

    /// Reads on until a line with this word, and answers the rest of the line. The test harness prints others.
    fn hears(&mut self, word: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "a process ended before it said {word:?}");
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
    }

    fn wait_until_ready(&mut self) {
        self.hears("racer is ready");
    }

    fn go(&mut self) {
        writeln!(self.process.stdin.as_mut().unwrap(), "go").unwrap();
    }

    fn won(mut self) -> usize {
        let won = self.hears("racer has won").parse().unwrap();
        assert!(self.process.wait().unwrap().success());
        won
    }
}

impl Drop for Racer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a process of the race does. Without its environment it is nobody's racer, and there is nothing to do.
pub async fn race(open: impl AsyncFn(&str, &str) -> Arc<dyn VerificationTokenStore>) {
    let Ok(name) = env::var(ROLE[0]) else { return };
    let [place, identifier, token] = [1, 2, 3].map(|index| env::var(ROLE[index]).unwrap());
    let store = open(&name, &place).await;
    println!("\nracer is ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    assert_eq!(line, "go\n");
    let won = race_for_token(store, &identifier, &token, RACERS).await.unwrap();
    println!("\nracer has won {won}");
}

/// A race for each store that says it is `shared`, and the test that is a racer.
macro_rules! races {
    ($($(#[$gate:meta])* $name:ident $($shared:ident)?,)+) => {
        mod races {
            $($crate::processes::races! { @test $(#[$gate])* $name $($shared)? })+
        }

        /// The store of this kind at this place.
        async fn open_for_race(
            name: &str,
            place: &str,
        ) -> std::sync::Arc<dyn portcullis::store::VerificationTokenStore> {
            use $crate::backend::Backend as _;
            $($(#[$gate])* if name == $crate::$name::Fixture::NAME {
                return $crate::$name::Fixture::open(place).await;
            })+
            std::sync::Arc::new($crate::file::Tokens::open(name, place))
        }
    };
    (@test $(#[$gate:meta])* $name:ident shared) => {
        /// S48: one of 50 racers in five processes.
        $(#[$gate])*
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            use $crate::{backend::Backend as _, $name::Fixture};
            let Some(place) = Fixture::place().await else { return };
            let store = Fixture::open(&place).await;
            assert_eq!($crate::processes::winners(Fixture::NAME, &place, &store).await, 1);
            drop(store);
            Fixture::remove(&place).await;
        }
    };
    (@test $(#[$gate:meta])* $name:ident) => {};
}

pub(crate) use races;

#[tokio::test(flavor = "multi_thread")]
async fn racer() {
    race(crate::open_for_race).await;
}
