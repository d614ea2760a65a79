//! The attributes of a cookie, and the only place that writes them.

use std::time::Duration;

use cookie::{Cookie, Expiration};
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clock::Timestamp;

/// What `encodeURIComponent` leaves alone.
pub(crate) const URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// When a browser sends a cookie along on requests that start at other sites (RFC 6265bis section 5.6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When the user follows a link; the default of Auth.js.
    #[default]
    Lax,
    /// Always; asks for `Secure`.
    None,
}

/// One cookie: its name and everything but its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CookieSpec {
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) path: String,
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
    /// A removal also says `Expires`, as v3 does.
    pub(crate) removal_expires: bool,
}

/// A finished `Set-Cookie` header.
#[derive(Debug, Clone)]
pub(crate) struct SetCookie {
    pub(crate) header: HeaderValue,
}

impl CookieSpec {
    /// Sets the cookie until the browser closes.
    pub(crate) fn set(&self, value: &str) -> SetCookie {
        self.build(&self.name, value, Lifetime::Browser)
    }

    /// Sets the cookie called `name` (this one's, or that of one of its chunks) until `expires`.
    pub(crate) fn set_until(&self, name: &str, value: &str, expires: Timestamp) -> SetCookie {
        self.build(name, value, Lifetime::Until(expires))
    }

    /// Sets the cookie called `name` for so long: by the browser's clock, and by this one's for old browsers.
    pub(crate) fn set_for(&self, name: &str, value: &str, lifetime: Duration, now: Timestamp) -> SetCookie {
        self.build(name, value, Lifetime::For(lifetime, now))
    }

    /// Removes the cookie called `name`, with the same attributes with which it was set.
    pub(crate) fn remove(&self, name: &str, now: Timestamp) -> SetCookie {
        self.build(name, "", Lifetime::Removed(now))
    }

    fn build(&self, name: &str, value: &str, lifetime: Lifetime) -> SetCookie {
        let encoded = utf8_percent_encode(value, URI_COMPONENT).to_string();
        let mut cookie = Cookie::new(name, encoded);
        cookie.set_path(&self.path);
        cookie.set_http_only(true);
        cookie.set_secure(self.secure);
        cookie.set_same_site(match self.same_site {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::None => cookie::SameSite::None,
        });
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain);
        }
        match lifetime {
            Lifetime::Browser => {}
            Lifetime::Until(expires) => cookie.set_expires(Expiration::from(expires.to_offset())),
            Lifetime::For(lifetime, now) => {
                cookie.set_max_age(cookie_duration(lifetime));
                cookie.set_expires(Expiration::from(now.plus(lifetime).to_offset()));
            }
            Lifetime::Removed(now) => {
                cookie.set_max_age(cookie_duration(Duration::ZERO));
                if self.removal_expires {
                    cookie.set_expires(Expiration::from(now.to_offset()));
                }
            }
        }
        // Name, domain and path were checked at build(), the value is percent-encoded: always a valid header.
        let mut header =
            HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""));
        // Not for logs, and never indexed by HTTP/2.
        header.set_sensitive(true);
        SetCookie { header }
    }
}

enum Lifetime {
    Browser,
    Until(Timestamp),
    For(Duration, Timestamp),
    Removed(Timestamp),
}

fn cookie_duration(duration: Duration) -> time::Duration {
    time::Duration::try_from(duration).unwrap_or(time::Duration::MAX)
}
