//! Where the browser comes back to (RFC 8252 section 7.3): a server for one request.

use std::{convert::Infallible, net::Ipv4Addr, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY},
};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::sleep,
};

use crate::client::ClientError;

/// How many connections there may be: browsers open some in advance.
const MAX_CONNECTIONS: usize = 32;
/// Before the next connection is accepted where one could not be.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a connection may be silent.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) struct Listener {
    socket: TcpListener,
    port: u16,
    path: String,
}

/// The browser, which has come back and waits.
pub(super) struct Visit {
    /// What the provider says.
    pub(super) query: String,
    verdict: oneshot::Sender<Verdict>,
}

/// What the user is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    SignedIn,
    Refused,
}

/// Which request is the one.
#[derive(Clone)]
struct Expected {
    hosts: [String; 2],
    path: String,
    /// Servers of Auth.js 5 send none where PKCE alone binds the answer.
    state: Option<String>,
}

impl Listener {
    pub(super) async fn bind(port: u16, path: &str) -> Result<Self, ClientError> {
        let failed =
            |error| ClientError::browser_failed("there is no port for the browser to come back to", error);
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let port = socket.local_addr().map_err(failed)?.port();
        Ok(Self { socket, port, path: path.to_owned() })
    }

    /// The URL that leads here.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path)
    }

    /// Waits for the answer to the request with this state, if it had one. Whatever else this machine asks is refused, and changes
    /// nothing.
    pub(super) async fn answer(&self, state: Option<String>) -> Visit {
        let expected = Expected {
            hosts: [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)],
            path: self.path.clone(),
            state,
        };
        let (visits, mut visited) = mpsc::channel(1);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(serve(stream, expected.clone(), visits.clone()));
                    }
                    // The browser gave it up, or this program has too many files open: the next one may do.
                    Err(error) => {
                        tracing::debug!("a connection of the browser was not accepted: {error}");
                        sleep(PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                Some(visit) = visited.recv() => {
                    connections.detach_all(); // One of them waits for what it has to say.
                    return visit;
                }
            }
        }
    }
}

impl Visit {
    pub(super) fn respond(self, verdict: Verdict) {
        let _ = self.verdict.send(verdict); // The user may have closed the window.
    }
}

async fn serve(stream: TcpStream, expected: Expected, visits: mpsc::Sender<Visit>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (query, visits) = (expected.query_of(&request), visits.clone());
        async move { Ok::<_, Infallible>(answer(query, &visits).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(SILENCE);
    let served = server.serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!("a connection of the browser broke off: {error}");
    }
}

async fn answer(query: Option<String>, visits: &mpsc::Sender<Visit>) -> Response<Full<Bytes>> {
    let Some(query) = query else { return page(StatusCode::NOT_FOUND, "There is nothing here.") };
    let (verdict, said) = oneshot::channel();
    // It is sent once: who comes after it finds nobody.
    let verdict = match visits.try_send(Visit { query, verdict }) {
        Ok(()) => said.await.unwrap_or(Verdict::Refused),
        Err(_) => Verdict::Refused,
    };
    match verdict {
        Verdict::SignedIn => page(StatusCode::OK, "You are signed in. You can close this window."),
        Verdict::Refused => {
            page(StatusCode::BAD_REQUEST, "You are not signed in. Go back to the program and try again.")
        }
    }
}

impl Expected {
    /// What the provider says, if this is its answer.
    fn query_of<B>(&self, request: &Request<B>) -> Option<String> {
        let query = request.uri().query()?;
        let host = request.headers().get(HOST)?.to_str().ok()?;
        let values = |wanted: &str| -> Vec<_> {
            let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
            pairs.map(|(_, value)| value.into_owned()).collect()
        };
        let is_answer = match &self.state {
            Some(state) => values("state") == [state.as_str()],
            None => values("code").len() + values("error").len() == 1,
        };
        let is_here = request.method() == Method::GET
            && request.uri().path() == self.path
            && self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        (is_answer && is_here && is_navigation(request.headers())).then(|| query.to_owned())
    }
}

/// Whether the user goes there, as far as the browser says. Otherwise any page could end a sign-in unseen, by an image or
/// a frame, where there is no `state` to know.
fn is_navigation(headers: &HeaderMap) -> bool {
    let says = |name: &str, wanted: &str| headers.get_all(name).iter().all(|value| value == wanted);
    says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
        && !headers.contains_key("sec-purpose")
}

fn page(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign in</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         <p>{text}</p></html>"
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (CONNECTION, "close"),
    ];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
