//! [`RequireAuth`]: who may pass.
//!
//! A guard stands inside an [`AuthLayer`](crate::AuthLayer), as a layer over many routes or over one. It lets
//! a request pass only on a yes: an error is a no, and so is a missing layer, which is answered 500 with what
//! to add.
//!
//! | who | a page | everything else | gRPC |
//! |---|---|---|---|
//! | may pass | the service | the service | the service |
//! | not signed in | redirect to the sign-in page, with the way back | 401 JSON | 16 |
//! | signed in too long ago | as not signed in | 401 JSON `SignInTooOld` | 16 |
//! | signed in, not allowed | 403 | 403 JSON | 7 |
//! | cannot be known now (a callback failed) | 503 | 503 JSON | 14 |
//! | cannot be known (a mistake in the program) | 500 | 500 JSON | 13 |
//!
//! What a page is, is read off `Sec-Fetch-Mode` and `Accept`, unless the guard is told; what gRPC is, off
//! `Content-Type` of a `POST`. Whom it asks for is a [`Rule`]; which paths it is about, [`RequireAuth::matching`]; how it
//! refuses, [`RequireAuth::refuse_with`]. In Axum a handler can name what it asks for in its signature:
//! `Require` of the crate. Around a gRPC service a guard should be [`RequireAuth::grpc`].

mod judge;
mod path;
mod refusal;
mod require;
mod rule;
mod service;

#[cfg(feature = "axum")]
pub(crate) use self::refusal::{failure, forbidden, sign_in_refused, unauthorized};
pub use self::{
    judge::Refusal,
    refusal::Refused,
    require::RequireAuth,
    rule::Rule,
    service::{Guard, GuardFuture},
};
