//! Tells the code inside the layer that the layer is there, without an allocation.
//!
//! A request's extensions would do, but putting something in there allocates, and most requests are
//! anonymous. So the layer sets this thread-local while it calls and polls the inner service, and takes it
//! back afterwards, as `tokio::task_local!` does. Only the configuration travels this way: identity is in
//! the extensions, and where they hold none, nobody is signed in.

use std::{
    cell::RefCell,
    mem::{self, ManuallyDrop},
};

use crate::{
    auth::{Auth, AuthContext},
    head::Head,
};

thread_local! {
    // Nothing to drop when the thread ends, since `Entered` has taken it back by then; so each access is a
    // plain one, without a look at whether the destructor is registered.
    static CURRENT: RefCell<ManuallyDrop<Option<Scope>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// What the layer leaves for the code inside it.
#[derive(Debug)]
pub(super) struct Scope {
    auth: Auth,
    /// Somebody asked who is signed in.
    pub(super) consulted: bool,
    /// Somebody asked for the token of `Authorization`.
    pub(super) consulted_bearer: bool,
    /// The handle of an anonymous request, made when a handler asks for it.
    pub(super) context: Option<AuthContext>,
}

impl Scope {
    pub(super) fn new(auth: Auth) -> Self {
        Self { auth, consulted: false, consulted_bearer: false, context: None }
    }
}

/// While this lives the scope is in place; then, whatever happens, it is back in its slot.
#[must_use]
pub(super) struct Entered<'s>(&'s mut Option<Scope>);

#[inline]
pub(super) fn enter(slot: &mut Option<Scope>) -> Entered<'_> {
    // Swapped, not set: a layer inside a layer finds its own scope and gives the outer one back.
    CURRENT.with_borrow_mut(|current| mem::swap(&mut **current, slot));
    Entered(slot)
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| mem::swap(&mut **current, self.0));
    }
}

fn with<T>(look: impl FnOnce(&mut Scope) -> T) -> Option<T> {
    CURRENT.with_borrow_mut(|current| current.as_mut().map(look))
}

/// Whether a layer is there. Says that the response depends on who is signed in.
pub(super) fn consult() -> bool {
    with(|scope| {
        scope.consulted = true;
        scope.consulted_bearer |= scope.auth.settings.bearer_sessions;
    })
    .is_some()
}

/// Says that the response depends on `Authorization`.
pub(super) fn consult_bearer() {
    with(|scope| scope.consulted_bearer = true);
}

/// The configuration of the layer, if one is there.
pub(super) fn auth() -> Option<Auth> {
    with(|scope| scope.auth.clone())
}

/// The handle of an anonymous request, if a layer is there. Made once a request.
pub(super) fn anonymous_context(request: Head<'_>) -> Option<AuthContext> {
    let (auth, context) = with(|scope| {
        scope.consulted = true;
        (scope.auth.clone(), scope.context.clone())
    })?;
    // Not inside the borrow: it asks the application's clock.
    let context = context.unwrap_or_else(|| AuthContext::anonymous(auth, request));
    with(|scope| scope.context = Some(context.clone()));
    Some(context)
}
