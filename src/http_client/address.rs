//! Which URLs may be asked.

use std::net::IpAddr;

use http::Uri;

use super::HttpError;

/// Whether keys and secrets may go over this URL: https, or http to this machine, for development. Credentials
/// in a URL would be logged with it.
pub(crate) fn check_url(url: &Uri) -> Result<(), HttpError> {
    let authority = url.authority().ok_or(HttpError::refused_url("it has no host"))?;
    if authority.as_str().contains('@') {
        return Err(HttpError::refused_url("it has a user name or password in it"));
    }
    match url.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback(authority.host()) => Ok(()),
        Some("http") => Err(HttpError::refused_url("http is for 127.0.0.1, [::1] and localhost only")),
        _ => Err(HttpError::refused_url("it is no https URL")),
    }
}

/// Whether it leads to this machine.
#[cfg(feature = "oauth")]
pub(crate) fn is_local(url: &Uri) -> bool {
    url.host().is_some_and(is_loopback)
}

/// Whether a host is an address of this machine, or the name that stands for those.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s39_https_or_this_machine() {
        for (url, allowed) in [
            ("https://issuer.example/keys", true),
            ("https://10.0.0.1/keys", true),
            ("http://127.0.0.1:3000/keys", true),
            ("http://127.8.9.1/keys", true),
            ("http://[::1]:3000/keys", true),
            ("http://[::ffff:127.0.0.1]/keys", true),
            ("http://localhost/keys", true),
            ("http://LOCALHOST:1/keys", true),
            ("http://issuer.example/keys", false),
            ("http://localhost.evil.example/keys", false),
            ("http://127.0.0.1.evil.example/keys", false),
            ("http://10.0.0.1/keys", false),
            ("http://0.0.0.0/keys", false),
            ("http://[::]/keys", false),
            ("http://169.254.169.254/latest", false),
            ("http://127.0.0.1@evil.example/keys", false),
            ("https://user:password@issuer.example/keys", false),
            ("ftp://127.0.0.1/keys", false),
            ("file:///etc/passwd", false),
            ("/keys", false),
            ("issuer.example", false),
        ] {
            let Ok(parsed) = url.parse::<Uri>() else {
                assert!(!allowed, "{url}");
                continue;
            };
            assert_eq!(check_url(&parsed).is_ok(), allowed, "{url}");
        }
    }
}
