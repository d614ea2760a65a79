//! Session cookies under any suffix and with any value. A good token among them may be found, and nothing
//! else signs anybody in.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use libfuzzer_sys::fuzz_target;
use portcullis::{
    Dialect, Secret,
    codec::{Codec, JweCbc, JweGcm},
};
use portcullis_fuzz::{SECRET, send, session_cookie};

/// Without an end in this century; what is split is the token of v4 or v5.
const CLAIMS: &[u8] = br#"{"sub":"1","iat":1768478400,"exp":4102444800}"#;

static TOKENS: LazyLock<[(Dialect, String); 2]> = LazyLock::new(|| {
    let secret = Secret::new(SECRET);
    [
        (Dialect::V4, JweGcm::new(&secret, "").encode(CLAIMS).unwrap()),
        (Dialect::V5, JweCbc::new(&secret, session_cookie(Dialect::V5)).encode(CLAIMS).unwrap()),
    ]
});

// What each cookie holds: a piece of the good token, or anything.
fuzz_target!(|cookies: Vec<(String, Result<(u16, u16), String>)>| {
    for (dialect, token) in TOKENS.iter() {
        let name = session_cookie(*dialect);
        let line: Vec<_> = cookies
            .iter()
            .map(|(suffix, value)| match value {
                Ok((from, to)) => {
                    let [from, to] = [*from, *to].map(|at| usize::from(at).min(token.len()));
                    format!("{name}{suffix}={}", token.get(from..to).unwrap_or_default())
                }
                Err(text) => format!("{name}{suffix}={text}"),
            })
            .collect();
        let Ok(line) = HeaderValue::try_from(line.join("; ")) else { continue };
        let mut request = Request::new(Bytes::new());
        request.headers_mut().insert(header::COOKIE, line);
        send(&request, |_, response| assert!(matches!(response.body().as_deref(), None | Some("1"))));
    }
});
