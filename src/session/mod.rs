//! Who is making this request?
//!
//! [`Claims`] are what a token holds, [`Session`] is what clients and handlers see of them, `lifetime` judges
//! times (pure functions), and `strategy` reads, starts, renews and ends sessions: it is the only module
//! that knows where they live. Rules: `docs/protocol.md` sections 4 and 10.

mod claims;
mod expected;
pub(crate) mod lifetime;
mod model;
mod strategy;

pub use self::{
    claims::Claims,
    lifetime::Lifetime,
    model::{Session, SessionUser},
};
pub(crate) use self::{
    claims::Registered,
    expected::Expected,
    model::UserClaims,
    strategy::{Found, JwtStrategy, Locked, Present, Profile, SealedSession},
};
