//! [`RequireAuth`]: who may pass.
//!
//! A guard stands inside an [`AuthLayer`](crate::AuthLayer), as a layer over many routes or over one. It lets
//! a request pass only on a yes: an error is a no, and so is a missing layer, which is answered 500 with what
//! to add.
//!
//! | who | a page | everything else |
//! |---|---|---|
//! | may pass | the service | the service |
//! | not signed in | redirect to the sign-in page, with the way back | 401 JSON |
//! | signed in, not allowed | 403 | 403 JSON |
//! | cannot be known | 500 | 500 JSON |
//!
//! What a page is, is read off `Sec-Fetch-Mode` and `Accept`, unless the guard is told.

mod refusal;
mod rule;
mod service;

#[cfg(feature = "axum")]
pub(crate) use self::refusal::{failure, sign_in_refused, unauthorized};
pub use self::{
    rule::RequireAuth,
    service::{Guard, GuardFuture},
};
