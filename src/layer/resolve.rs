//! Reading the session of one request on its way in.

use std::{future::Future, pin::Pin};

use super::bearer;
use crate::{
    auth::{Auth, AuthContext, Resolved, Visit},
    cookie::CookieHeaders,
    error::SessionErrorKind,
    head::Head,
    session::{Present, SealedSession},
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
    let Some(sealed) = strategy.read(&carried, https, now).session() else {
        return Resolution::Anonymous;
    };
    let visit = Visit { now, https, present: Present::of(&carried), bearer: false };
    let due = auth.settings.renew_on_read || strategy.is_due(&sealed, now);
    if due && auth.settings.site.is_some() {
        return Resolution::Pending(Box::pin(renewed(auth.clone(), sealed, visit)));
    }
    found(auth, sealed, visit)
}

/// A session that came in `Authorization` is read and never renewed: there is no cookie to put a token into.
fn resolve_bearer(auth: &Auth, request: Head<'_>) -> Resolution {
    if !bearer::is_session(auth, request) {
        return Resolution::Anonymous;
    }
    let Some(token) = bearer::token(request.headers) else { return Resolution::Anonymous };
    let (now, https) = (auth.now(), auth.is_https(request));
    match auth.settings.strategy.read_token(&token, https, now) {
        Some(sealed) => found(auth, sealed, Visit { now, https, present: Present::default(), bearer: true }),
        None => Resolution::Anonymous,
    }
}

fn found(auth: &Auth, sealed: SealedSession, visit: Visit) -> Resolution {
    if auth.settings.callbacks.session.is_some() {
        return Resolution::Pending(Box::pin(shown(auth.clone(), sealed, visit)));
    }
    let resolved = Resolved::SignedIn { sealed, shown: None };
    Resolution::Ready(AuthContext::new(auth.clone(), visit, resolved, Vec::new()))
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
