//! Any bytes as Cookie headers: nobody is signed in by them.
#![no_main]

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::send;

fuzz_target!(|lines: Vec<Vec<u8>>| {
    let mut request = Request::new(Bytes::new());
    for line in lines {
        let Ok(line) = HeaderValue::from_bytes(&line) else { return };
        request.headers_mut().append(header::COOKIE, line);
    }
    send(&request, |_, response| assert_eq!(*response.body(), None));
    *request.uri_mut() = "/api/auth/session".parse().unwrap();
    send(&request, |_, _| ());
});
