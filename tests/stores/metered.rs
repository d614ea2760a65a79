//! A store that is counted and timed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::Ordering},
    task::{Context, Waker},
};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use portcullis::{
    User,
    store::{MemoryStore, Metered, SessionKey, Store, UserStore},
};

use crate::{
    backend::{Backend, Everything},
    broken::{Broken, Fault},
};

pub struct Fixture;

impl Backend for Fixture {
    const NAME: &str = "metered";

    async fn place() -> Option<String> {
        Some(String::new())
    }

    async fn open(_: &str) -> Arc<dyn Everything> {
        Arc::new(Metered::new(MemoryStore::new(), "memory"))
    }
}

type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

#[derive(Default)]
struct Recorded(Counts);

struct One(Counts, String);

impl One {
    fn add(&self, count: u64) {
        *self.0.lock().unwrap().entry(self.1.clone()).or_default() += count;
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.add(value);
    }

    fn absolute(&self, _: u64) {}
}

impl HistogramFn for One {
    fn record(&self, seconds: f64) {
        assert!((0.0..60.0).contains(&seconds));
        self.add(1);
    }
}

impl Recorded {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(One(self.0.clone(), format!("{} {}", key.name(), labels.join(" "))))
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

#[tokio::test]
async fn calls_are_counted_by_their_outcome() {
    let recorded = Recorded::default();
    let counts = recorded.0.clone();
    let _here = metrics::set_default_local_recorder(&recorded);
    let broken = Arc::new(Broken::new(Fault::AnswersLate));
    let store = Metered::new(broken.clone(), "mine");
    let user = User::new("").email("jsmith@example.com");
    store.create_user(&user, None).await.unwrap();
    store.create_user(&user, None).await.unwrap_err();
    let key = SessionKey::of_token("unknown");
    {
        // It waits for an answer that does not come.
        let mut late = store.session_and_user(&key);
        let mut context = Context::from_waker(Waker::noop());
        assert!(late.as_mut().poll(&mut context).is_pending());
    }
    broken.late.1.notify_one();
    store.session_and_user(&key).await.unwrap();
    broken.down.store(true, Ordering::SeqCst);
    store.session_and_user(&key).await.unwrap_err();

    let mut expected = BTreeMap::new();
    for (method, outcome) in [
        ("create_user", "ok"),
        ("create_user", "conflict"),
        ("session_and_user", "ok"),
        ("session_and_user", "dropped"),
        ("session_and_user", "unavailable"),
    ] {
        for name in ["portcullis_store_calls_total", "portcullis_store_call_seconds"] {
            expected.insert(format!("{name} store=mine method={method} outcome={outcome}"), 1);
        }
    }
    assert_eq!(*counts.lock().unwrap(), expected);
}

/// What is known without waiting counts as a call, and what is not only once it has been asked for.
#[test]
fn each_answer_is_counted_once() {
    let recorded = Recorded::default();
    let counts = recorded.0.clone();
    let _here = metrics::set_default_local_recorder(&recorded);
    let key = SessionKey::of_token("unknown");
    let waits = Metered::new(Broken::new(Fault::None), "waits");
    assert!(waits.session_and_user_now(&key).is_pending());
    assert_eq!(*counts.lock().unwrap(), BTreeMap::new());
    assert!(Metered::new(MemoryStore::new(), "mine").session_and_user_now(&key).is_ready());
    let names = ["portcullis_store_calls_total", "portcullis_store_call_seconds"];
    let expected = names.map(|name| (format!("{name} store=mine method=session_and_user outcome=ok"), 1));
    assert_eq!(*counts.lock().unwrap(), BTreeMap::from(expected));
}
