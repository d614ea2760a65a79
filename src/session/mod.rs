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
mod live;
mod model;
mod revocations;
mod rows;
mod strategy;
mod upstream;

pub(crate) use self::{
    carried::{Carried, Present},
    claims::Registered,
    expected::Expected,
    found::{Found, Later},
    live::{LiveSession, session_of_claims},
    model::UserClaims,
    revocations::{Revocations, session_id, unstored_user, user_name},
    rows::Rows,
    strategy::{Place, Profile, Strategy},
    upstream::Upstream,
};
pub use self::{
    claims::Claims,
    lifetime::Lifetime,
    model::{Session, SessionUser},
    revocations::RevocationPolicy,
    rows::{Client, SessionIds},
};
