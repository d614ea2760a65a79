//! Reading the session of one request on its way in.

use std::{future::Future, pin::Pin};

use super::bearer;
use crate::{
    auth::{Auth, AuthContext, Resolved, Visit},
    cookie::CookieHeaders,
    error::SessionErrorKind,
    head::Head,
    session::{Found, Locked, Present, SealedSession},
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
/// application has a `session` callback or the session is due for a new token.
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
    resolve_found(auth, found, || Visit { now, https, present: Present::of(&carried), bearer: false })
}

/// A session that came in `Authorization` is read and never renewed: there is no cookie to put a token into.
fn resolve_bearer(auth: &Auth, request: Head<'_>) -> Resolution {
    if !bearer::is_session(auth, request) {
        return Resolution::Anonymous;
    }
    let Some(token) = bearer::token(request.headers) else { return Resolution::Anonymous };
    let (now, https) = (auth.now(), auth.is_https(request));
    let found = auth.settings.strategy.read_token(&token, https, now);
    resolve_found(auth, found, || Visit { now, https, present: Present::default(), bearer: true })
}

fn resolve_found(auth: &Auth, found: Found, visit: impl FnOnce() -> Visit) -> Resolution {
    let sealed = match found {
        Found::Session(sealed) => sealed,
        Found::Locked(locked) => {
            return Resolution::Pending(Box::pin(unlocked(auth.clone(), locked, visit())));
        }
        Found::Nobody | Found::Disputed => return Resolution::Anonymous,
    };
    let visit = visit();
    if is_due(auth, &sealed, &visit) || auth.settings.callbacks.session.is_some() {
        return Resolution::Pending(Box::pin(signed_in(auth.clone(), sealed, visit)));
    }
    let resolved = Resolved::SignedIn { sealed, shown: None };
    Resolution::Ready(AuthContext::new(auth.clone(), visit, resolved, Vec::new()))
}

fn is_due(auth: &Auth, sealed: &SealedSession, visit: &Visit) -> bool {
    let due = auth.settings.renew_on_read || auth.settings.strategy.is_due(sealed, visit.now);
    due && !visit.bearer && auth.settings.site.is_some()
}

/// Waits for the keys that a token names. Where no keys can be had, it is not known who is there.
async fn unlocked(auth: Auth, locked: Locked, visit: Visit) -> AuthContext {
    match auth.settings.strategy.unlock(locked, visit.https, visit.now).await {
        Found::Session(sealed) => signed_in(auth, sealed, visit).await,
        Found::Locked(locked) if locked.keyless => {
            tracing::warn!("nobody can be told: the keys for session tokens cannot be read");
            AuthContext::new(auth, visit, Resolved::Failed(SessionErrorKind::Unavailable), Vec::new())
        }
        _ => AuthContext::new(auth, visit, Resolved::Anonymous, Vec::new()),
    }
}

async fn signed_in(auth: Auth, sealed: SealedSession, visit: Visit) -> AuthContext {
    if is_due(&auth, &sealed, &visit) {
        return renewed(auth, sealed, visit).await;
    }
    if auth.settings.callbacks.session.is_some() {
        return shown(auth, sealed, visit).await;
    }
    AuthContext::new(auth, visit, Resolved::SignedIn { sealed, shown: None }, Vec::new())
}

async fn shown(auth: Auth, sealed: SealedSession, visit: Visit) -> AuthContext {
    let resolved = match auth.show(&sealed, visit.now).await {
        Ok(session) => Resolved::SignedIn { sealed, shown: Some(Box::new(session)) },
        Err(_) => Resolved::Failed(SessionErrorKind::Callback),
    };
    AuthContext::new(auth, visit, resolved, Vec::new())
}

async fn renewed(auth: Auth, sealed: SealedSession, visit: Visit) -> AuthContext {
    let (resolved, cookies) = match auth.renew(&sealed, None, &visit).await {
        Ok(Some(renewal)) => {
            let sealed = sealed.with_claims(renewal.token.to_json(), renewal.session.expires);
            (Resolved::SignedIn { sealed, shown: Some(Box::new(renewal.session)) }, renewal.cookies)
        }
        Ok(None) => (Resolved::Anonymous, auth.end(None, &visit).await),
        Err(_) => (Resolved::Failed(SessionErrorKind::Callback), Vec::new()),
    };
    AuthContext::new(auth, visit, resolved, cookies)
}
