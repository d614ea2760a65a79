//! Any text as `callbackUrl`, in the query and in its cookie: no redirect leaves the origin.
#![no_main]

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{ORIGIN, send};

fuzz_target!(|input: (&str, &str)| {
    let (query, cookie) = input;
    for path in ["signin", "signout", "callback/credentials", "error", "verify-request"] {
        let Ok(uri) = format!("/api/auth/{path}?callbackUrl={query}").parse() else { return };
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        if let Ok(line) =
            HeaderValue::try_from(format!("next-auth.callback-url={cookie}; authjs.callback-url={cookie}"))
        {
            request.headers_mut().insert(header::COOKIE, line);
        }
        send(&request, |_, response| {
            if let Some(location) = response.headers().get(header::LOCATION) {
                let location = location.to_str().unwrap();
                let rest = location.strip_prefix(ORIGIN).unwrap_or(location);
                assert!(rest.is_empty() || rest.starts_with(['/', '?', '#']), "{location}");
                assert!(!rest.starts_with("//") && !rest.starts_with("/\\"), "{location}");
            }
        });
    }
});
