//! What links and codes by mail need beside the tokens of a store (`docs/protocol.md` section 8): the cookie that says
//! what a browser has asked for, the attempts at a code, and how many mails may be asked for.
//!
//! Codes and limits are counted in the store, for all instances at once, with nothing but
//! [`create_verification_token`](crate::store::VerificationTokenStore::create_verification_token): of several that are
//! at it, one makes a row, and the others are told that it is there.

mod asked;
mod code;
mod limits;

pub(crate) use self::{
    asked::{Asked, AskedCookie},
    code::{Code, Guess},
    limits::{Limit, Place, Sources},
};
