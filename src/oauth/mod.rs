//! Signing in at a provider, as its client: OAuth 2 (RFC 6749, RFC 7636, RFC 9207) and OpenID Connect Core
//! (`docs/protocol.md` section 7).
//!
//! [`Checks`] are what binds an answer to the browser that asked, [`OAuthClient`] is what is sent to a provider and
//! how its answers are judged. What a provider is stands in [`provider`](crate::provider).

mod authorization;
mod checks;
mod client;
mod discovery;
mod error;
mod form;
mod handover;
mod id_token;
mod lease;
mod logout;
mod members;
mod token;
mod used;
mod userinfo;

pub(crate) use self::{
    checks::{BeganAs, Carrier, Checks, Transaction},
    client::OAuthClient,
    error::{OAuthError, OAuthErrorKind},
    form::PostedForm,
    handover::LoopbackPort,
    lease::Lease,
    logout::LogoutToken,
    used::UsedStates,
};
