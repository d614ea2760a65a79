//! Servers that are wrong on purpose: each is found out, and for what it does.

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use portcullis::store::{MemoryStore, Store};
use tokio::time::sleep;
use tower::{Service, ServiceExt, service_fn, util::BoxCloneSyncService};

use crate::{
    answer::COOKIE,
    scenario::{Calm, suffer_at},
    site::{LIMIT, Site, patient, site},
    stored::Gate,
};

const RECOVERY: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_server_is_believed() {
    assert_eq!(problems(site, async |_, response| response).await, [""; 0]);
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
    let problems = report.problems(RECOVERY);
    found(&problems, "that Ended: User(");
    found(&problems, "afterwards: a session of");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_the_store_for_too_long_is_found_out() {
    let waits = |store| patient(store, 3 * LIMIT);
    let problems = problems_of(waits, async |_, response| response, Gate::hang).await;
    found(&problems, "an answer took 3.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_recover_is_found_out() {
    let gate = Gate::new(Arc::new(MemoryStore::new()));
    let calm = Calm { before: Duration::from_millis(300), after: Duration::from_millis(500) };
    let report = suffer_at("lies", site(Arc::new(gate.clone())), calm, async || {
        gate.fail();
        sleep(Duration::from_millis(200)).await; // for those that are on their way
    });
    let report = report.await;
    let problems = report.problems(RECOVERY);
    found(&problems, "after the server was back");
    found(&problems, "not one right answer");
    found(&problems, "afterwards: it cannot be known");
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

/// What is found about a site whose answers are changed by `lie`, while its store is away for half a second.
async fn problems_of<F>(
    site: impl FnOnce(Arc<dyn Store>) -> Site,
    lie: impl Lie<F>,
    shut: impl FnOnce(&Gate),
) -> Vec<String>
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
    report.await.problems(RECOVERY)
}

trait Lie<F>: Fn(Asked, Response<Full<Bytes>>) -> F + Clone + Send + Sync + 'static {}
impl<F, T: Fn(Asked, Response<Full<Bytes>>) -> F + Clone + Send + Sync + 'static> Lie<F> for T {}

fn found(problems: &[String], what: &str) {
    assert!(problems.iter().any(|problem| problem.contains(what)), "{what:?} was not found: {problems:#?}");
}
