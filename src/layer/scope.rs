//! Tells the code inside the layer that the layer is there, without an allocation.
//!
//! A request's extensions would do, but putting something in there allocates, and most requests are
//! anonymous. So the layer sets this thread-local while it calls and polls the inner service, and takes it
//! back afterwards, as `tokio::task_local!` does. Only the configuration travels this way: identity is in
//! the extensions, and where they hold none, nobody is signed in.

use std::{cell::RefCell, mem};

use http::HeaderMap;

use crate::auth::{Auth, AuthContext};

thread_local! {
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// What the layer leaves for the code inside it.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) auth: Auth,
    https: bool,
    /// Somebody asked who is signed in.
    pub(super) consulted: bool,
    /// Somebody asked for the token of `Authorization`.
    pub(super) consulted_bearer: bool,
    /// The handle of an anonymous request, made when a handler asks for it.
    pub(super) context: Option<AuthContext>,
}

impl Scope {
    pub(super) fn new(auth: Auth, https: bool) -> Self {
        Self { auth, https, consulted: false, consulted_bearer: false, context: None }
    }
}

/// While this lives the scope is in place; then, whatever happens, it is back in its slot.
#[must_use]
pub(super) struct Entered<'s>(&'s mut Option<Scope>);

#[inline]
pub(super) fn enter(slot: &mut Option<Scope>) -> Entered<'_> {
    // Swapped, not set: a layer inside a layer finds its own scope and gives the outer one back.
    CURRENT.with_borrow_mut(|current| mem::swap(current, slot));
    Entered(slot)
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| mem::swap(current, self.0));
    }
}

/// Whether a layer is there. Says that the response depends on who is signed in.
pub(super) fn consult() -> Option<Auth> {
    CURRENT.with_borrow_mut(|current| {
        let scope = current.as_mut()?;
        scope.consulted = true;
        Some(scope.auth.clone())
    })
}

/// Says that the response depends on `Authorization`.
pub(super) fn consult_bearer() {
    CURRENT.with_borrow_mut(|current| {
        if let Some(scope) = current {
            scope.consulted_bearer = true;
        }
    });
}

/// The handle of an anonymous request, if a layer is there. Made once a request.
pub(super) fn anonymous_context(headers: &HeaderMap) -> Option<AuthContext> {
    let (auth, https, context) = CURRENT.with_borrow_mut(|current| {
        let scope = current.as_mut()?;
        scope.consulted = true;
        Some((scope.auth.clone(), scope.https, scope.context.clone()))
    })?;
    // Not inside the borrow: it asks the application's clock.
    let context = context.unwrap_or_else(|| AuthContext::anonymous(auth, headers, https));
    CURRENT.with_borrow_mut(|current| {
        if let Some(scope) = current {
            scope.context = Some(context.clone());
        }
    });
    Some(context)
}
