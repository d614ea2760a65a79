//! Cookies: how ours are named, read, split and written.
//!
//! Reading ([`scan`]) borrows from the request's headers and allocates nothing when there is nothing of
//! ours. Writing goes through [`CookieSpec`], the only place that knows attributes, so that a removal
//! always matches what it removes. Rules: `docs/protocol.md` section 2, RFC 6265bis.

mod chunk;
mod names;
mod scan;
mod spec;
#[cfg(test)]
mod vectors;

pub(crate) use self::{
    chunk::{SessionCookies, write_session},
    names::{CookieNames, CookiePolicy},
    scan::{CookieHeaders, is_well_formed},
    spec::{CookieSpec, SetCookie, URI_COMPONENT},
};
pub use self::{
    names::{CookieKind, CookieOptions},
    spec::SameSite,
};
