//! Servers that are wrong on purpose: each is found out, and for what it does.

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use portcullis::store::{MemoryStore, Store};
use tokio::time::{Instant, sleep};
use tower::{Service, ServiceExt, service_fn, util::BoxCloneSyncService};

use crate::{
    answer::COOKIE,
    load::{Kind, Outcome, Record},
    report::{Report, Strain},
    scenario::{Calm, suffer_at},
    site::{LIMIT, Site, patient, site},
    stored::Gate,
};

const RECOVERY: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_server_is_believed() {
    let honest = report_of(site, async |_, response| response, Gate::fail).await;
    assert_eq!(honest.problems(RECOVERY), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_nobody_for_a_fault_is_found_out() {
    let lie = async |_: Asked, mut response: Response<Full<Bytes>>| {
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            *response.status_mut() = StatusCode::OK;
            *response.body_mut() = Full::from("nobody");
        }
        response
    };
    found(&problems(site, lie).await, "that Lasts: Nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_the_cookie_away_is_found_out() {
    let lie = async |asked: Asked, mut response: Response<Full<Bytes>>| {
        let sets = |line: &HeaderValue| line.to_str().unwrap().starts_with(COOKIE);
        if asked.path == "/api/auth/session"
            && !response.headers().get_all(header::SET_COOKIE).iter().any(sets)
        {
            let removal = format!("{COOKIE}=; Path=/; Max-Age=0");
            response.headers_mut().append(header::SET_COOKIE, removal.parse().unwrap());
        }
        response
    };
    found(&problems(site, lie).await, "that Lasts: Nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_one_for_another_is_found_out() {
    let lie = async |_: Asked, response: Response<Full<Bytes>>| {
        let (mut parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        if body != "bob@example.com" {
            return Response::from_parts(parts, Full::new(body));
        }
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Full::from("alice@example.com"))
    };
    found(&problems(site, lie).await, "of bob that Lasts: User(\"alice@example.com\")");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_says_that_a_session_has_ended_is_found_out() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let inner = site(store);
    let site = service_fn(move |request: Request<Incoming>| {
        let inner = inner.clone();
        async move {
            if (request.method(), request.uri().path()) != (&Method::POST, "/api/auth/signout") {
                return inner.oneshot(request).await;
            }
            let removal = HeaderValue::from_str(&format!("{COOKIE}=; Path=/; Max-Age=0")).unwrap();
            let mut response = Response::new(Full::from("{}"));
            response.headers_mut().append(header::SET_COOKIE, removal);
            Ok::<_, Infallible>(response)
        }
    });
    let calm = Calm { before: Duration::from_millis(500), after: Duration::from_millis(500) };
    let report = suffer_at("lies", BoxCloneSyncService::new(site), calm, async || {}).await;
    let problems = unexcused(report);
    found(&problems, "that Ended: User(");
    found(&problems, "afterwards: a session of");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_the_store_for_too_long_is_found_out() {
    let waits = |store| patient(store, 3 * LIMIT);
    let problems = problems_of(waits, async |_, response| response, Gate::hang).await;
    found(&problems, "an answer took");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_recover_is_found_out() {
    let gate = Gate::new(Arc::new(MemoryStore::new()));
    let calm = Calm { before: Duration::from_millis(300), after: Duration::from_millis(500) };
    let report = suffer_at("lies", site(Arc::new(gate.clone())), calm, async || {
        gate.fail();
        sleep(Duration::from_secs(1)).await; // for those that are on their way
    });
    let problems = unexcused(report.await);
    found(&problems, "after the server was back");
    found(&problems, "not one right answer");
    found(&problems, "afterwards: it cannot be known");
}

/// However busy the machine was: what is excused is lateness, and not more of it than was measured.
#[test]
fn a_busy_machine_excuses_no_more_than_its_lateness() {
    let begun = Instant::now();
    let at = |millis| begun + Duration::from_millis(millis);
    let record = |due, took, outcome| Record {
        kind: Kind::Page,
        at: at(due),
        took: Duration::from_millis(took),
        outcome,
    };
    // Well until 1 s, broken until 4 s, and well again until 7 s.
    let of = |late, odd: Vec<Record>| {
        let all = (0..1400).map(|number| record(number * 5, 3, Outcome::Right));
        let away = |record: &Record| (at(900)..at(4_000)).contains(&record.at);
        let records: Vec<_> = all.filter(|record| !away(record)).chain(odd).collect();
        let late = Duration::from_millis(late);
        let strain = Strain::of(&records, late, at(1_000));
        let report = Report {
            name: "made up",
            begun,
            broken: at(1_000),
            back: at(4_000),
            finished: at(7_000),
            records: (0..700).map(|_| record(1_500, 3, Outcome::Unavailable)).chain(records).collect(),
            strain,
            afterwards: Vec::new(),
        };
        report.problems(Duration::from_secs(1))
    };
    let wrong = || Outcome::Wrong("somebody else".to_owned());
    for (late, odd, problem) in [
        (0, record(1_500, 1_900, Outcome::Unavailable), None),
        (0, record(1_500, 2_100, Outcome::Unavailable), Some("an answer took 2.1s")),
        (500, record(1_500, 3_900, Outcome::Unavailable), None),
        (500, record(1_500, 4_100, Outcome::Unavailable), Some("an answer took 4.1s")),
        (0, record(4_900, 9, Outcome::Unavailable), None),
        (0, record(5_100, 9, Outcome::Unavailable), Some("unavailable 1.1s after the server was back")),
        (500, record(6_900, 9, Outcome::Unavailable), None),
        (400, record(6_900, 9, Outcome::Unavailable), Some("unavailable 2.9s after the server was back")),
        (999, record(1_500, 30_000, Outcome::Unavailable), Some("an answer took 30s")),
        (1_000, record(1_500, 30_000, Outcome::Unavailable), None),
        (9_000, record(500, 200, Outcome::Unavailable), Some("unavailable before anything was broken")),
        (20, record(0, 990, Outcome::Unavailable), Some("unavailable before anything was broken")),
        (9_000, record(500, 3, wrong()), Some("somebody else")),
        (9_000, record(2_000, 3, wrong()), Some("somebody else")),
        (9_000, record(6_000, 3, wrong()), Some("somebody else")),
    ] {
        let about = format!("late by {late} ms: {odd:?}");
        match (of(late, vec![odd]).as_slice(), problem) {
            ([], None) => {}
            ([found], Some(problem)) => assert_eq!(found, problem, "{about}"),
            (found, problem) => panic!("{about}: {found:?}, not {problem:?}"),
        }
    }
}

/// What of a request a lie may depend on.
struct Asked {
    path: String,
}

async fn problems<F>(site: impl FnOnce(Arc<dyn Store>) -> Site, lie: impl Lie<F>) -> Vec<String>
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    problems_of(site, lie, Gate::fail).await
}

async fn problems_of<F>(
    site: impl FnOnce(Arc<dyn Store>) -> Site,
    lie: impl Lie<F>,
    shut: impl FnOnce(&Gate),
) -> Vec<String>
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    unexcused(report_of(site, lie, shut).await)
}

/// What is found where a busy machine is no excuse: a lie is one however late it is told.
fn unexcused(report: Report) -> Vec<String> {
    Report { strain: Strain::default(), ..report }.problems(RECOVERY)
}

/// A site whose answers are changed by `lie`, while its store is away for half a second.
async fn report_of<F>(
    site: impl FnOnce(Arc<dyn Store>) -> Site,
    lie: impl Lie<F>,
    shut: impl FnOnce(&Gate),
) -> Report
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let gate = Gate::new(Arc::new(MemoryStore::new()));
    let honest = site(Arc::new(gate.clone()));
    let liar = service_fn(move |request: Request<Incoming>| {
        let (mut honest, lie) = (honest.clone(), lie.clone());
        async move {
            let asked = Asked { path: request.uri().path().to_owned() };
            let response = honest.ready().await?.call(request).await?;
            Ok::<_, Infallible>(lie(asked, response).await)
        }
    });
    let calm = Calm { before: Duration::from_millis(300), after: Duration::from_millis(500) };
    let report = suffer_at("lies", BoxCloneSyncService::new(liar), calm, async || {
        shut(&gate);
        sleep(Duration::from_millis(500)).await;
        gate.open();
    });
    report.await
}

trait Lie<F>: Fn(Asked, Response<Full<Bytes>>) -> F + Clone + Send + Sync + 'static {}
impl<F, T: Fn(Asked, Response<Full<Bytes>>) -> F + Clone + Send + Sync + 'static> Lie<F> for T {}

fn found(problems: &[String], what: &str) {
    assert!(problems.iter().any(|problem| problem.contains(what)), "{what:?} was not found: {problems:#?}");
}
