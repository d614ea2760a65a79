//! Any bytes as the body of each POST, in each type of form: an answer, and no session without the password.
#![no_main]

use bytes::Bytes;
use http::{Method, Request, header};
use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{send, session_cookie};

const TYPES: [&str; 4] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=x",
];
const PATHS: [&str; 6] =
    ["signin/credentials", "callback/credentials", "signout", "session", "_log", "nonsense"];

fuzz_target!(|body: &[u8]| {
    for path in PATHS {
        for content_type in TYPES {
            let request = Request::builder()
                .method(Method::POST)
                .uri(format!("/api/auth/{path}"))
                .header(header::CONTENT_TYPE, content_type)
                .body(Bytes::copy_from_slice(body))
                .unwrap();
            send(&request, |dialect, response| {
                // Without a CSRF cookie no form counts, so nothing that is set is a session.
                let set = response.headers().get_all(header::SET_COOKIE).iter();
                let name = session_cookie(dialect).as_bytes();
                assert!(!set.into_iter().any(|line| line.as_bytes().starts_with(name)));
            });
        }
    }
});
