//! From a request to a verdict.

use std::{future::Future, pin::Pin};

use serde::de::IgnoredAny;

use super::{
    require::{Answer as Format, RequireAuth},
    rule::{Answer, Asked, Rule},
};
use crate::{
    auth::{Auth, Token},
    error::SessionError,
    grpc,
    layer::{AuthRequest, Lookup},
    session::Claims,
};

/// Why a request does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody is signed in.
    NotSignedIn,
    /// Somebody is signed in whose last sign-in is too long ago ([`Rule::fresh_within`]).
    Stale,
    /// Somebody is signed in, who may not do that.
    Forbidden,
    /// It cannot be known who is.
    Failed(SessionError),
}

/// What a guard says of a request.
pub(super) enum Verdict {
    Pass,
    Refuse(Refusal),
    /// A question has to be asked first.
    Later(Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>),
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn judge(guard: &RequireAuth, request: &impl AuthRequest) -> Verdict {
    verdict(guard, request).unwrap_or_else(|failed| Verdict::Refuse(failed.into()))
}

fn verdict(guard: &RequireAuth, request: &impl AuthRequest) -> Result<Verdict, SessionError> {
    if guard.answer == Format::Grpc && !grpc::is_call(request.head()) {
        return Ok(Verdict::Refuse(Refusal::Forbidden));
    }
    let lookup = Lookup::of(request)?;
    // A session whose callbacks failed lets nobody pass, even where its token alone would do.
    if guard.rule.is_signed_in() {
        // Which claims there are does not matter, so none is kept.
        let token: Option<Token<IgnoredAny>> = lookup.claims(guard.cookie_only, request)?;
        return Ok(token.map_or(Verdict::Refuse(Refusal::NotSignedIn), |_| Verdict::Pass));
    }
    let Some(token) = lookup.claims::<Claims>(guard.cookie_only, request)? else {
        return Ok(Verdict::Refuse(Refusal::NotSignedIn));
    };
    let auth = lookup.auth()?;
    Ok(match guard.rule.judge(&Asked { auth: &auth, claims: &token.claims })? {
        Some(answer) => decided(answer).map_or_else(Verdict::Refuse, |()| Verdict::Pass),
        None => Verdict::Later(Box::pin(ask(auth, guard.rule.clone(), token.claims))),
    })
}

async fn ask(auth: Auth, rule: Rule, claims: Claims) -> Result<(), Refusal> {
    decided(rule.ask(&Asked { auth: &auth, claims: &claims }).await?)
}

fn decided(answer: Answer) -> Result<(), Refusal> {
    match answer {
        Answer::Yes => Ok(()),
        Answer::SignInAgain => Err(Refusal::Stale),
        Answer::No => Err(Refusal::Forbidden),
    }
}
