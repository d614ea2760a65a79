//! What a request with a session costs at least: find the cookie, open it, look at the claims that decide.
//! Written without anything of the layer but its codecs.

use std::{borrow::Cow, hint::black_box};

use http::{HeaderMap, header::COOKIE};
use portcullis::codec::Codec;
use serde::Deserialize;

use super::{
    Run,
    tokens::{Format, Sent},
};

#[derive(Deserialize)]
struct Registered<'c> {
    sub: Cow<'c, str>,
    exp: u64,
    iat: Option<u64>,
    nbf: Option<u64>,
}

pub fn floor(format: Format, size: usize) -> Run {
    let headers = Sent::Good(size).headers(format);
    let codec = format.codec();
    Box::new(move || assert!(is_signed_in(&headers, format.cookie_name(), &*codec)))
}

fn is_signed_in(headers: &HeaderMap, name: &str, codec: &dyn Codec) -> bool {
    let token = token(headers, name).unwrap();
    let claims = codec.decode(&token).unwrap().claims;
    let Registered { sub, exp, iat, nbf } = serde_json::from_slice(&claims).unwrap();
    black_box((iat, nbf, exp));
    !sub.is_empty()
}

fn token<'h>(headers: &'h HeaderMap, name: &str) -> Option<Cow<'h, str>> {
    let mut token = Cow::Borrowed("");
    for cookie in headers.get(COOKIE)?.to_str().ok()?.split(';') {
        let (key, value) = cookie.trim_start().split_once('=')?;
        match key.strip_prefix(name) {
            Some("") => token = Cow::Borrowed(value),
            Some(_) => token.to_mut().push_str(value),
            None => {}
        }
    }
    Some(token)
}
