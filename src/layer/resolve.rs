//! Reading the session of one request on its way in.

use std::{future::Future, pin::Pin};

use super::bearer;
use crate::{
    auth::{Auth, AuthContext, Resolved, Visit},
    cookie::CookieHeaders,
    head::Head,
    session::{Found, Later, LiveSession, Present},
};

/// The way to whoever is there, when a callback has to be asked.
pub(super) type Resolving = Pin<Box<dyn Future<Output = AuthContext> + Send>>;

/// What is known at once.
pub(super) enum Resolution {
    /// Nobody; nothing was allocated.
    Anonymous,
    /// Somebody, and no callback has to be asked.
    Ready(AuthContext),
    /// Somebody, and a callback has to be asked first.
    Pending(Resolving),
}

/// Reads the session cookie, or else the token of `Authorization` where that counts. Synchronous, unless the
/// session lives in a store, the application has a `session` callback, or the session is due for a renewal.
pub(super) fn resolve(auth: &Auth, request: Head<'_>) -> Resolution {
    let cookies = CookieHeaders::of(request.headers);
    if cookies.is_empty() {
        return resolve_bearer(auth, request);
    }
    let Some(https) = auth.scheme(request) else {
        tracing::warn!("anonymous: {}", Auth::UNKNOWN_ORIGIN);
        return Resolution::Anonymous;
    };
    let strategy = &auth.settings.strategy;
    let carried = strategy.carried(&cookies, https);
    if carried.is_empty() {
        return resolve_bearer(auth, request);
    }
    let now = auth.now();
    let found = strategy.read(&carried, https, now);
    resolve_found(auth, found, || Visit::of(auth, request, Present::of(&carried), https, now))
}

/// A session that came in `Authorization` is read and never renewed: there is no cookie to put a token into.
fn resolve_bearer(auth: &Auth, request: Head<'_>) -> Resolution {
    if !bearer::is_session(auth, request) {
        return resolve_visitor(auth, request);
    }
    let Some(token) = bearer::token(request.headers) else { return Resolution::Anonymous };
    let (now, https) = (auth.now(), auth.is_https(request));
    let found = auth.settings.strategy.read_token(&token, https, now);
    resolve_found(auth, found, || Visit {
        bearer: true,
        ..Visit::of(auth, request, Present::default(), https, now)
    })
}

/// Nobody; but who asks for the token of `Authorization` later cannot wait, so what it is judged by is brought up to
/// date now.
fn resolve_visitor(auth: &Auth, request: Head<'_>) -> Resolution {
    let Some(revocations) = auth.settings.strategy.revocations() else { return Resolution::Anonymous };
    if bearer::token(request.headers).is_none() || !revocations.is_due(auth.now()) {
        return Resolution::Anonymous;
    }
    let visit = Visit::of(auth, request, Present::default(), auth.is_https(request), auth.now());
    Resolution::Pending(Box::pin(up_to_date(auth.clone(), visit)))
}

async fn up_to_date(auth: Auth, visit: Visit) -> AuthContext {
    if let Some(revocations) = auth.settings.strategy.revocations() {
        revocations.refresh(false).await;
    }
    AuthContext::new(auth, visit, Resolved::Anonymous, Vec::new())
}

fn resolve_found(auth: &Auth, found: Found, visit: impl FnOnce() -> Visit) -> Resolution {
    let live = match found {
        Found::Session(live) => live,
        Found::Nobody | Found::Disputed => return Resolution::Anonymous,
        Found::Later(later) => {
            return Resolution::Pending(settled(auth.clone(), later, visit()));
        }
        Found::Unavailable => {
            let context = AuthContext::new(auth.clone(), visit(), Resolved::Unavailable, Vec::new());
            return Resolution::Ready(context);
        }
    };
    let visit = visit();
    if has_more(auth, &live, &visit) {
        return Resolution::Pending(Box::pin(signed_in(auth.clone(), live, visit)));
    }
    let resolved = Resolved::SignedIn { live, shown: None };
    Resolution::Ready(AuthContext::new(auth.clone(), visit, resolved, Vec::new()))
}

fn is_due(auth: &Auth, live: &LiveSession, visit: &Visit) -> bool {
    let due = auth.settings.renew_on_read || auth.settings.strategy.is_due(live, visit.now);
    due && !visit.bearer && auth.settings.site.is_some()
}

/// Whether a renewal, or what a callback makes of it, has to be waited for.
fn has_more(auth: &Auth, live: &LiveSession, visit: &Visit) -> bool {
    is_due(auth, live, visit) || auth.settings.callbacks.session.is_some()
}

/// Waits for what a session hangs on. Where that cannot be had, it is not known who is there.
fn settled(auth: Auth, later: Later, visit: Visit) -> Resolving {
    // A block: an `async fn` would have room for its arguments twice.
    Box::pin(async move {
        let resolved = match auth.settings.strategy.settle(later, visit.https, visit.now).await {
            // Most have nothing more to wait for, and the rest is large.
            Found::Session(live) if has_more(&auth, &live, &visit) => {
                return Box::pin(signed_in(auth, live, visit)).await;
            }
            Found::Session(live) => Resolved::SignedIn { live, shown: None },
            Found::Unavailable | Found::Later(_) => Resolved::Unavailable,
            Found::Nobody | Found::Disputed => Resolved::Anonymous,
        };
        AuthContext::new(auth, visit, resolved, Vec::new())
    })
}

/// A session for which there is more to wait.
async fn signed_in(auth: Auth, live: LiveSession, visit: Visit) -> AuthContext {
    if is_due(&auth, &live, &visit) {
        renewed(auth, live, visit).await
    } else {
        shown(auth, live, visit).await
    }
}

async fn shown(auth: Auth, live: LiveSession, visit: Visit) -> AuthContext {
    let resolved = match auth.show(&live, visit.now).await {
        Ok(session) => Resolved::SignedIn { live, shown: Some(Box::new(session)) },
        Err(_) => Resolved::Broken(live),
    };
    AuthContext::new(auth, visit, resolved, Vec::new())
}

async fn renewed(auth: Auth, live: LiveSession, visit: Visit) -> AuthContext {
    let (resolved, cookies) = match auth.renew(&live, None, &visit).await {
        Ok(Some(renewal)) => {
            let live = live.renewed(&renewal.token, renewal.end);
            (Resolved::SignedIn { live, shown: Some(Box::new(renewal.session)) }, renewal.cookies)
        }
        Ok(None) => (Resolved::Anonymous, auth.clear(&visit)),
        Err(_) => (Resolved::Broken(live), Vec::new()),
    };
    AuthContext::new(auth, visit, resolved, cookies)
}
