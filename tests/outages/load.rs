//! 200 requests a second, begun on schedule whatever has become of the earlier ones, each of them judged.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    answer::Said,
    report::Strain,
    site::email,
    visitor::{Token, Visitor},
};

pub const EVERY: Duration = Duration::from_millis(5);

const PEOPLE: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
/// How many sessions each of them has from the beginning to the end.
const LASTING: usize = 4;

/// What a request wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Page,
    Session,
    SignIn,
    SignOut,
}

/// One request, and what came of it.
#[derive(Debug)]
pub struct Record {
    pub kind: Kind,
    /// When it was due.
    pub at: Instant,
    /// Until it was answered, from when it was due.
    pub took: Duration,
    pub outcome: Outcome,
}

impl Record {
    pub fn end(&self) -> Instant {
        self.at + self.took
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Right,
    Unavailable,
    Wrong(String),
}

/// A session, and what must be true of it.
#[derive(Debug)]
struct Session {
    name: &'static str,
    token: Token,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Lasts,
    /// Its sign-out was answered as unavailable.
    MayHaveEnded,
    Ended,
}

pub struct Load {
    visitor: Visitor,
    lasting: Vec<Session>,
    /// Sessions that come and go; each request takes one out, so nobody else has it meanwhile.
    passing: Mutex<Passing>,
    records: Mutex<Vec<Record>>,
    /// By how much this machine was late at worst.
    late: Mutex<Duration>,
}

#[derive(Debug, Default)]
struct Passing {
    begun: VecDeque<Session>,
    /// Begun, and a page has shown its user.
    seen: VecDeque<Session>,
    /// Ended, or perhaps.
    left: VecDeque<Session>,
}

impl Load {
    /// Everybody has signed in.
    pub async fn prepare(visitor: Visitor) -> Arc<Self> {
        let mut lasting = Vec::new();
        for name in PEOPLE {
            for _ in 0..LASTING {
                let said = visitor.sign_in(name).await;
                let Said::Begun(token) = said else { panic!("{name} cannot sign in: {said:?}") };
                lasting.push(Session { name, token, standing: Standing::Lasts });
            }
        }
        Arc::new(Self {
            visitor,
            lasting,
            passing: Mutex::default(),
            records: Mutex::default(),
            late: Mutex::default(),
        })
    }

    /// Asks until `stop` is over (or its other end is dropped) and all are answered; answers what came of it.
    pub async fn run(self: Arc<Self>, stop: oneshot::Receiver<()>) -> Vec<Record> {
        let (mut stop, mut ticks, mut requests) = (pin!(stop), interval(EVERY), JoinSet::new());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for number in 0.. {
            let at = tokio::select! {
                biased;
                _ = &mut stop => break,
                at = ticks.tick() => at,
            };
            let mut late = self.late.lock().unwrap();
            *late = at.elapsed().max(*late);
            drop(late);
            requests.spawn(Arc::clone(&self).request(number, at));
        }
        while let Some(done) = requests.join_next().await {
            done.unwrap();
        }
        std::mem::take(&mut *self.records.lock().unwrap())
    }

    /// By how much requests were begun later than they were due, at worst: what a busy machine does to all that happens
    /// in this process.
    pub fn late(&self) -> Duration {
        *self.late.lock().unwrap()
    }

    /// Whether there was a right answer since then, and none that said "unavailable" of late.
    pub fn is_well_since(&self, back: Instant) -> bool {
        let records = self.records.lock().unwrap();
        let of_late = Instant::now() - Duration::from_millis(500);
        records.iter().any(|record| record.outcome == Outcome::Right && record.end() > back)
            && !records.iter().any(|record| record.outcome == Outcome::Unavailable && record.end() > of_late)
    }

    /// What the machine has done to it so far.
    pub fn strain(&self, broken: Instant) -> Strain {
        Strain::of(&self.records.lock().unwrap(), self.late(), broken)
    }

    /// Each session once more, when all is well again, which may take so long: what is wrong about them.
    pub async fn look_back(&self, grace: Duration) -> Vec<String> {
        let until = Instant::now() + grace;
        let Passing { begun, seen, left } = std::mem::take(&mut *self.passing.lock().unwrap());
        let mut wrong = Vec::new();
        for session in self.lasting.iter().chain(&begun).chain(&seen).chain(&left) {
            let mut said = self.visitor.page(&session.token).await;
            while said == Said::Unavailable && Instant::now() < until {
                said = self.visitor.page(&session.token).await;
            }
            let outcome = match said {
                Said::Unavailable => Outcome::Wrong("it cannot be known".to_owned()),
                said => session.judge(said),
            };
            if let Outcome::Wrong(what) = outcome {
                wrong.push(format!("afterwards: {what}"));
            }
        }
        wrong
    }

    async fn request(self: Arc<Self>, number: usize, at: Instant) {
        let (kind, outcome) = match number % 20 {
            0 => self.begin(PEOPLE[number / 20 % PEOPLE.len()]).await,
            5 => self.see(number).await,
            10 => self.end(number).await,
            15 => self.look_for_ended(number).await,
            3 | 8 | 13 | 18 => self.read(number).await,
            _ => self.visit(number).await,
        };
        self.records.lock().unwrap().push(Record { kind, at, took: at.elapsed(), outcome });
    }

    async fn visit(&self, number: usize) -> (Kind, Outcome) {
        let session = &self.lasting[number % self.lasting.len()];
        (Kind::Page, session.judge(self.visitor.page(&session.token).await))
    }

    async fn read(&self, number: usize) -> (Kind, Outcome) {
        let session = &self.lasting[number % self.lasting.len()];
        (Kind::Session, session.judge(self.visitor.session(&session.token).await))
    }

    async fn begin(&self, name: &'static str) -> (Kind, Outcome) {
        let outcome = match self.visitor.sign_in(name).await {
            Said::Begun(token) => {
                let session = Session { name, token, standing: Standing::Lasts };
                self.passing.lock().unwrap().begun.push_back(session);
                Outcome::Right
            }
            Said::Unavailable => Outcome::Unavailable,
            said => Outcome::Wrong(format!("{name} signs in: {said:?}")),
        };
        (Kind::SignIn, outcome)
    }

    /// Whoever has signed in is there.
    async fn see(&self, number: usize) -> (Kind, Outcome) {
        let Some(session) = self.take(|passing| &mut passing.begun) else { return self.visit(number).await };
        let outcome = session.judge(self.visitor.page(&session.token).await);
        let mut passing = self.passing.lock().unwrap();
        let next = if outcome == Outcome::Unavailable { &mut passing.begun } else { &mut passing.seen };
        next.push_back(session);
        (Kind::Page, outcome)
    }

    async fn end(&self, number: usize) -> (Kind, Outcome) {
        let Some(mut session) = self.take(|passing| &mut passing.seen) else {
            return self.visit(number).await;
        };
        let outcome = match self.visitor.sign_out(&session.token).await {
            Said::Ended => {
                session.standing = Standing::Ended;
                Outcome::Right
            }
            Said::Unavailable => {
                session.standing = Standing::MayHaveEnded;
                Outcome::Unavailable
            }
            said => Outcome::Wrong(format!("{} signs out: {said:?}", session.name)),
        };
        self.passing.lock().unwrap().left.push_back(session);
        (Kind::SignOut, outcome)
    }

    /// Whoever has signed out is gone, and stays so.
    async fn look_for_ended(&self, number: usize) -> (Kind, Outcome) {
        let Some(mut session) = self.take(|passing| &mut passing.left) else {
            return self.visit(number).await;
        };
        let said = self.visitor.page(&session.token).await;
        let outcome = session.judge(said.clone());
        if said == Said::Nobody {
            session.standing = Standing::Ended;
        }
        self.passing.lock().unwrap().left.push_back(session);
        (Kind::Page, outcome)
    }

    fn take(&self, from: impl FnOnce(&mut Passing) -> &mut VecDeque<Session>) -> Option<Session> {
        from(&mut self.passing.lock().unwrap()).pop_front()
    }
}

impl Session {
    /// Whether this may be said of it.
    fn judge(&self, said: Said) -> Outcome {
        match (self.standing, said) {
            (_, Said::Unavailable) => Outcome::Unavailable,
            (Standing::Lasts | Standing::MayHaveEnded, Said::User(user)) if user == email(self.name) => {
                Outcome::Right
            }
            (Standing::MayHaveEnded | Standing::Ended, Said::Nobody) => Outcome::Right,
            (standing, said) => {
                Outcome::Wrong(format!("a session of {} that {standing:?}: {said:?}", self.name))
            }
        }
    }
}
