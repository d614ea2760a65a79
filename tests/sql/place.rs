//! Where the tests of a server may be: a namespace of their own.

use std::env;

/// The URL of a server, or nothing said aloud.
pub(crate) fn server(variable: &str) -> Option<String> {
    let url = env::var(variable).ok();
    if url.is_none() {
        assert!(
            env::var("PORTCULLIS_REQUIRE_SERVICES").as_deref() != Ok("1"),
            "{variable} names no server, and services are required"
        );
        println!("LEFT OUT: {variable} names no server");
    }
    url
}

/// A name that nobody else has.
pub(crate) fn unique() -> String {
    format!("t{}", &uuid::Uuid::new_v4().simple().to_string()[..12])
}
