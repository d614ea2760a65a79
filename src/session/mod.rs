//! Who is making this request?
//!
//! [`Claims`] are what a token holds, [`Session`] is what clients and handlers see of them, `lifetime` judges
//! times (pure functions), and `strategy` reads, starts, renews and ends sessions: it is the only module
//! that knows where they live. Rules: `docs/protocol.md` sections 4 and 10.

mod carried;
mod claims;
mod expected;
mod found;
pub(crate) mod lifetime;
mod model;
mod strategy;

pub(crate) use self::{
    carried::{Carried, Present},
    claims::Registered,
    expected::Expected,
    found::{Found, Locked},
    model::UserClaims,
    strategy::{JwtStrategy, Profile, SealedSession},
};
pub use self::{
    claims::Claims,
    lifetime::Lifetime,
    model::{Session, SessionUser},
};
