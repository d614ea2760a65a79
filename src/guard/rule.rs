use std::{fmt, sync::Arc};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use tower_layer::Layer;

use super::service::Guard;
use crate::{
    auth::Token,
    error::SessionError,
    layer::{AuthRequest, Lookup},
    session::Claims,
};

/// Lets through whom it is told to. See the [module](crate::guard).
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::RequireAuth;
///
/// let app: Router = Router::new()
///     .route("/account", get(|| async { "yours" }))
///     .route("/admin", get(|| async { "all of it" }).layer(RequireAuth::role("admin")))
///     .layer(RequireAuth::signed_in());
/// // and outside of it: .layer(AuthLayer::new(auth))
/// # let _ = app;
/// ```
#[derive(Clone)]
#[must_use]
pub struct RequireAuth {
    rule: Rule,
    pub(super) answer: Answer,
    pub(super) forbidden_to_sign_in: bool,
    cookie_only: bool,
}

#[derive(Clone)]
enum Rule {
    SignedIn,
    Claims(Arc<dyn Fn(&Claims) -> bool + Send + Sync>),
}

/// How somebody is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Auto,
    Page,
    Json,
}

/// What a guard says of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    NotSignedIn,
    Forbidden,
    Failed(SessionError),
}

impl RequireAuth {
    /// Anybody who is signed in.
    pub fn signed_in() -> Self {
        Self { rule: Rule::SignedIn, answer: Answer::Auto, forbidden_to_sign_in: false, cookie_only: false }
    }

    /// Users whose token has this role: `role` is the text, or `roles` is a list that holds it. The `jwt`
    /// callback puts it there.
    pub fn role(role: impl Into<String>) -> Self {
        let role = role.into();
        Self::when(move |claims| {
            let is = |value: &Value| value.as_str() == Some(&role);
            claims.get("role").is_some_and(is)
                || claims.get("roles").and_then(Value::as_array).is_some_and(|roles| roles.iter().any(is))
        })
    }

    /// Users whose token's claims satisfy a function. One that panics lets nobody pass.
    pub fn when(predicate: impl Fn(&Claims) -> bool + Send + Sync + 'static) -> Self {
        Self { rule: Rule::Claims(Arc::new(predicate)), ..Self::signed_in() }
    }

    /// Refuses as for a page, whatever the request looks like.
    pub fn page(mut self) -> Self {
        self.answer = Answer::Page;
        self
    }

    /// Refuses as JSON, whatever the request looks like.
    pub fn json(mut self) -> Self {
        self.answer = Answer::Json;
        self
    }

    /// Sends users who are not allowed to the sign-in page too, as `withAuth` of next-auth does, in place of 403.
    pub fn forbidden_to_sign_in(mut self) -> Self {
        self.forbidden_to_sign_in = true;
        self
    }

    /// Looks at the session cookie only. Otherwise a token in `Authorization: Bearer` counts as well, as in
    /// `withAuth`; the callbacks are not asked about such a token, so one that they would end passes until it
    /// expires.
    pub fn cookie_only(mut self) -> Self {
        self.cookie_only = true;
        self
    }

    pub(super) fn judge(&self, request: &impl AuthRequest) -> Verdict {
        match self.allows(request) {
            Ok(Some(true)) => Verdict::Pass,
            Ok(Some(false)) => Verdict::Forbidden,
            Ok(None) => Verdict::NotSignedIn,
            Err(error) => Verdict::Failed(error),
        }
    }

    /// `None` if nobody is signed in.
    fn allows(&self, request: &impl AuthRequest) -> Result<Option<bool>, SessionError> {
        let lookup = Lookup::of(request)?;
        // A session whose callbacks failed lets nobody pass, even where its token alone would do.
        Ok(match &self.rule {
            // Which claims there are does not matter, so none is kept.
            Rule::SignedIn => self.token::<IgnoredAny>(&lookup, request)?.map(|_| true),
            Rule::Claims(predicate) => {
                self.token::<Claims>(&lookup, request)?.map(|token| predicate(&token.claims))
            }
        })
    }

    fn token<C: DeserializeOwned>(
        &self,
        lookup: &Lookup<'_>,
        request: &impl AuthRequest,
    ) -> Result<Option<Token<C>>, SessionError> {
        if self.cookie_only { lookup.cookie_token() } else { lookup.token(request) }
    }
}

impl<S> Layer<S> for RequireAuth {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard::new(inner, self.clone())
    }
}

impl fmt::Debug for RequireAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAuth").field("answer", &self.answer).finish_non_exhaustive()
    }
}
