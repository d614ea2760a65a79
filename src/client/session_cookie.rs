//! What becomes of the session's cookie where nobody is signed in (`docs/protocol.md` sections 6 and 10).

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response,
    header::{COOKIE, SET_COOKIE},
};
use memchr::memmem::Finder;
use url::Url;

use crate::{
    cookie::{CookieHeaders, CookieNames, CookiePolicy, SessionCookies},
    dialect::{Dialect, Rules},
};

/// Whether a server that says that nobody is signed in was sent the cookie of a session, and leaves it.
///
/// Every generation removes what is no session, and writes what is one anew: only where it could not look, the cookie
/// stays. But cookies of another generation, another scheme or another name are none for it, and stay for ever. Where
/// `known` does not tell the generation, its word for "nobody" does; of names of its own nothing is known.
pub(super) fn is_left(
    known: Option<Dialect>,
    url: &Url,
    sent: Option<&HeaderValue>,
    response: &Response<Bytes>,
) -> bool {
    let sent: HeaderMap = sent.into_iter().map(|cookies| (COOKIE, cookies.clone())).collect();
    let dialects = Dialect::ALL.into_iter().filter(|dialect| known.is_none_or(|known| known == *dialect));
    dialects.map(Dialect::rules).any(|rules| {
        let name =
            CookieNames::new(rules, &CookiePolicy::default(), url.scheme() == "https").session_token.name;
        response.body().trim_ascii() == rules.empty_session.as_bytes()
            && carries(rules, &CookieHeaders::of(&sent), &name)
            && !sets(response.headers(), &name)
    })
}

fn carries(rules: &Rules, cookies: &CookieHeaders<'_>, name: &str) -> bool {
    match rules.chunk_size {
        None => cookies.find(name).is_some_and(|value| !value.is_empty()),
        Some(_) => SessionCookies::scan(cookies, &Finder::new(name)).is_some_and(|found| found.count() > 0),
    }
}

/// Whether the cookie, or one of those that it is split into, is removed or written anew.
fn sets(headers: &HeaderMap, name: &str) -> bool {
    let mut cookies = headers.get_all(SET_COOKIE).iter();
    cookies.any(|cookie| cookie.as_bytes().starts_with(name.as_bytes()))
}
