//! What an answer says, with its cookies: these decide who is signed in afterwards.

use http::StatusCode;
use serde_json::json;

use crate::{stored, support::Answer, visitor::Token};

pub use stored::COOKIE;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The user with this e-mail address is there.
    User(String),
    /// Nobody is, for certain.
    Nobody,
    /// That it cannot be known or done just now. Nothing has changed for the browser.
    Unavailable,
    /// This session has begun.
    Begun(Token),
    /// The session has ended.
    Ended,
    /// Something that no answer may say.
    Nonsense(String),
}

pub fn of_page(answer: &Answer, session: &Token) -> Said {
    match (answer.status, &*answer.text(), cookie(answer)) {
        (StatusCode::OK, "nobody", None | Some(Cookie::Removed)) => Said::Nobody,
        (StatusCode::OK, user, None) => Said::User(user.to_owned()),
        (StatusCode::OK, user, Some(Cookie::Set(token))) if token == *session => Said::User(user.to_owned()),
        (StatusCode::SERVICE_UNAVAILABLE, "SessionUnavailable", None) => Said::Unavailable,
        _ => nonsense(answer),
    }
}

pub fn of_session(answer: &Answer, session: &Token) -> Said {
    if answer.status != StatusCode::OK {
        return nonsense(answer);
    }
    let json = answer.json();
    match (json["user"]["email"].as_str(), cookie(answer)) {
        (Some(user), Some(Cookie::Set(token))) if token == *session => Said::User(user.to_owned()),
        // The wire has no word for "not known": it is "nobody", and the cookie stays.
        (None, None) if json == json!({}) => Said::Unavailable,
        (None, Some(Cookie::Removed)) if json == json!({}) => Said::Nobody,
        _ => nonsense(answer),
    }
}

pub fn of_sign_in(answer: &Answer) -> Said {
    match (answer.status, cookie(answer)) {
        (StatusCode::OK, Some(Cookie::Set(token))) => Said::Begun(token),
        (StatusCode::SERVICE_UNAVAILABLE, None) => Said::Unavailable,
        _ => nonsense(answer),
    }
}

pub fn of_sign_out(answer: &Answer) -> Said {
    match (answer.status, cookie(answer)) {
        (StatusCode::OK, Some(Cookie::Removed)) => Said::Ended,
        (StatusCode::SERVICE_UNAVAILABLE, None) => Said::Unavailable,
        _ => nonsense(answer),
    }
}

/// What an answer does to the session's cookie.
enum Cookie {
    Set(Token),
    Removed,
}

fn cookie(answer: &Answer) -> Option<Cookie> {
    let cookie = answer.cookie(COOKIE)?;
    let is_removed = cookie.value().is_empty() || cookie.max_age().is_some_and(|age| age.is_zero());
    Some(if is_removed { Cookie::Removed } else { Cookie::Set(cookie.value().to_owned()) })
}

fn nonsense(answer: &Answer) -> Said {
    let about_cookie = match cookie(answer) {
        None => "",
        Some(Cookie::Set(_)) => ", and another session's cookie",
        Some(Cookie::Removed) => ", and the cookie is removed",
    };
    Said::Nonsense(format!("{} {:?}{about_cookie}", answer.status, answer.text()))
}
