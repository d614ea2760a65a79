//! The algebra of who may pass.

use std::{fmt, future::Future, ops::Not, pin::Pin, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    auth::Auth,
    callbacks::{Callback, boxed},
    clock::Timestamp,
    error::{BoxError, SessionError, SessionErrorKind},
    session::Claims,
};

/// Which signed-in users may pass. Nobody passes who is not signed in, whatever a rule says, and no rule turns
/// an error into a yes.
///
/// ```
/// use std::time::Duration;
/// use portcullis::{RequireAuth, guard::Rule};
///
/// let staff = Rule::any([Rule::role("admin"), Rule::claim("team", "support")]);
/// let rule = Rule::all([staff, !Rule::claim("suspended", true), Rule::fresh_within(Duration::from_secs(900))]);
/// let guard = RequireAuth::new(rule);
/// # let _ = guard;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Rule(Kind);

#[derive(Clone)]
enum Kind {
    SignedIn,
    Claims(Arc<dyn Fn(&Claims) -> bool + Send + Sync>),
    Asked(Callback<Claims, bool>),
    FreshWithin(Duration),
    Several(Quantifier, Arc<[Rule]>),
    Not(Arc<Rule>),
}

/// Which of the answers of several rules counts.
#[derive(Debug, Clone, Copy)]
enum Quantifier {
    All,
    Any,
}

impl Quantifier {
    /// The answer of no rules at all.
    fn start(self) -> Answer {
        match self {
            Self::All => Answer::Yes,
            Self::Any => Answer::No,
        }
    }

    fn take(self, so_far: Answer, next: Answer) -> Answer {
        match self {
            Self::All => so_far.min(next),
            Self::Any => so_far.max(next),
        }
    }

    /// Whether no further rule changes the answer.
    fn is_decided(self, so_far: Answer) -> bool {
        so_far == self.start().not()
    }
}

/// What a rule says of somebody who is signed in. `all` takes the least of its answers, `any` the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    No,
    /// Not as it is; signing in again would help.
    SignInAgain,
    Yes,
}

impl Answer {
    fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    fn not(self) -> Self {
        Self::of(self != Self::Yes)
    }
}

impl Rule {
    /// Anybody who is signed in.
    pub fn signed_in() -> Self {
        Self(Kind::SignedIn)
    }

    /// Users whose token has this role: [`Claims::has_role`]. The `jwt` callback has to put it there
    /// ([`AuthBuilder::on_jwt`](crate::AuthBuilder::on_jwt)).
    pub fn role(role: impl Into<String>) -> Self {
        let role = role.into();
        Self::when(move |claims| {
            if claims.get("role").is_none() && claims.get("roles").is_none() {
                tracing::debug!(
                    role,
                    "a guard asks for a role, and the token has none: put it there in on_jwt"
                );
            }
            claims.has_role(&role)
        })
    }

    /// Users whose token has this value under this name, or a list with it.
    pub fn claim(name: impl Into<String>, value: impl Into<Value>) -> Self {
        let (name, value) = (name.into(), value.into());
        Self::when(move |claims| {
            let claim = claims.get(&name);
            claim == Some(&value) || claim.and_then(Value::as_array).is_some_and(|list| list.contains(&value))
        })
    }

    /// Users whose token's claims satisfy a function. One that panics lets nobody pass.
    pub fn when(predicate: impl Fn(&Claims) -> bool + Send + Sync + 'static) -> Self {
        Self(Kind::Claims(Arc::new(predicate)))
    }

    /// Users about whom an async function says yes: for questions that need a database. One that fails,
    /// panics or takes longer than the time limit of callbacks lets nobody pass (503).
    pub fn when_async<F>(predicate: impl Fn(Claims) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<bool, BoxError>> + Send + 'static,
    {
        Self(Kind::Asked(boxed(predicate)))
    }

    /// Users who signed in no longer ago than this; others are asked to sign in again, as if they had not. Tokens
    /// say so only with [`AuthBuilder::record_auth_time`](crate::AuthBuilder::record_auth_time); one that
    /// does not know lets nobody pass.
    pub fn fresh_within(limit: Duration) -> Self {
        Self(Kind::FreshWithin(limit))
    }

    /// Users who satisfy each of these; anybody who is signed in if there is none. Asked in order, up to the
    /// first no.
    pub fn all(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(Kind::Several(Quantifier::All, rules.into_iter().collect()))
    }

    /// Users who satisfy at least one of these; nobody if there is none. Asked in order, up to the first yes.
    pub fn any(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(Kind::Several(Quantifier::Any, rules.into_iter().collect()))
    }

    /// Whether nothing of the token has to be looked at.
    pub(super) fn is_signed_in(&self) -> bool {
        matches!(self.0, Kind::SignedIn)
    }

    /// The answer, if it can be had without asking anybody.
    pub(super) fn judge(&self, asked: &Asked<'_>) -> Result<Option<Answer>, SessionError> {
        Ok(Some(match &self.0 {
            Kind::SignedIn => Answer::Yes,
            Kind::Claims(predicate) => Answer::of(predicate(asked.claims)),
            Kind::FreshWithin(limit) => asked.fresh_within(*limit)?,
            Kind::Asked(_) => return Ok(None),
            Kind::Not(rule) => return Ok(rule.judge(asked)?.map(Answer::not)),
            Kind::Several(quantifier, rules) => {
                let mut so_far = quantifier.start();
                for rule in rules.iter() {
                    let Some(answer) = rule.judge(asked)? else { return Ok(None) };
                    so_far = quantifier.take(so_far, answer);
                    if quantifier.is_decided(so_far) {
                        break;
                    }
                }
                so_far
            }
        }))
    }

    /// The answer, with the questions asked that have to be.
    pub(super) fn ask<'a>(
        &'a self,
        asked: &'a Asked<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, SessionError>> + Send + 'a>> {
        Box::pin(async move {
            match &self.0 {
                Kind::Asked(predicate) => asked.ask(predicate).await,
                Kind::Not(rule) => rule.ask(asked).await.map(Answer::not),
                Kind::Several(quantifier, rules) => {
                    let mut so_far = quantifier.start();
                    for rule in rules.iter() {
                        so_far = quantifier.take(so_far, rule.ask(asked).await?);
                        if quantifier.is_decided(so_far) {
                            break;
                        }
                    }
                    Ok(so_far)
                }
                // Always answered at once.
                Kind::SignedIn | Kind::Claims(_) | Kind::FreshWithin(_) => {
                    Ok(self.judge(asked)?.unwrap_or(Answer::No))
                }
            }
        })
    }
}

impl Not for Rule {
    type Output = Self;

    /// Signed-in users about whom the rule does not say yes.
    fn not(self) -> Self {
        Self(Kind::Not(Arc::new(self)))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::SignedIn => f.write_str("signed_in"),
            Kind::Claims(_) => f.write_str("when(..)"),
            Kind::Asked(_) => f.write_str("when_async(..)"),
            Kind::FreshWithin(limit) => f.debug_tuple("fresh_within").field(limit).finish(),
            Kind::Several(Quantifier::All, rules) => f.debug_tuple("all").field(rules).finish(),
            Kind::Several(Quantifier::Any, rules) => f.debug_tuple("any").field(rules).finish(),
            Kind::Not(rule) => write!(f, "!{rule:?}"),
        }
    }
}

/// By so much a sign-in may seem to lie in the future.
const CLOCKS_DIFFER: Duration = Duration::from_secs(15);

/// Whom a rule is asked about.
pub(super) struct Asked<'a> {
    pub(super) auth: &'a Auth,
    pub(super) claims: &'a Claims,
}

impl Asked<'_> {
    fn fresh_within(&self, limit: Duration) -> Result<Answer, SessionError> {
        let Some(auth_time) = self.claims.get("auth_time").and_then(Value::as_f64) else {
            if self.auth.settings.strategy.records_auth_time() {
                // Begun before the setting, or by another server.
                return Ok(Answer::SignInAgain);
            }
            let error = SessionError::new(SessionErrorKind::UnknownAuthTime);
            tracing::error!("{error}");
            return Err(error);
        };
        let (now, auth_time) = (self.auth.now(), Timestamp::from_secs(auth_time as i64));
        // Clocks differ by seconds; a sign-in that lies further ahead did not happen.
        let fresh = auth_time <= now.plus(CLOCKS_DIFFER) && auth_time.plus(limit) >= now;
        Ok(if fresh { Answer::Yes } else { Answer::SignInAgain })
    }

    async fn ask(&self, predicate: &Callback<Claims, bool>) -> Result<Answer, SessionError> {
        let asked = self.auth.settings.callbacks.run("guard", predicate, self.claims.clone()).await;
        asked.map(Answer::of).map_err(|_| SessionError::new(SessionErrorKind::Callback))
    }
}
