//! An answer of a provider that a program on the user's own machine waits for, and not the browser that brings it
//! (RFC 8252 section 7.3).
//!
//! Such a sign-in is begun by the program, which keeps the checks in its own cookies, and goes on in the user's browser,
//! which has none of them. Its state says so, sealed, with the port at which the program listens. So the site knows
//! where to send the browser on to, and the provider knows the site's usual redirect URI only.

use std::{net::Ipv4Addr, sync::Arc};

use serde::{Deserialize, Serialize};
use url::{Host, Position, Url};

use crate::{
    clock::Timestamp,
    codec::{Codec, CodecError},
};

/// Seals states that say to whom an answer is to be passed on.
pub(crate) struct Handover {
    codec: Arc<dyn Codec>,
}

/// A port of this machine at which a program listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoopbackPort(u16);

#[derive(Serialize, Deserialize)]
struct State {
    random: String,
    port: LoopbackPort,
    exp: i64,
}

impl Handover {
    pub(super) fn new(codec: Arc<dyn Codec>) -> Self {
        Self { codec }
    }

    pub(super) fn state(
        &self,
        random: String,
        port: LoopbackPort,
        end: Timestamp,
    ) -> Result<String, CodecError> {
        let state = State { random, port, exp: end.as_secs() };
        self.codec.encode(&serde_json::to_vec(&state).unwrap_or_default())
    }

    /// The port that is in a state, if it was sealed here and is not over.
    pub(crate) fn port(&self, state: &str, now: Timestamp) -> Option<LoopbackPort> {
        let state: State = serde_json::from_slice(&self.codec.decode(state).ok()?.claims).ok()?;
        (state.exp > now.as_secs()).then_some(state.port)
    }
}

impl LoopbackPort {
    /// The port of `http://127.0.0.1:PORT` and this path. By address: what `localhost` is, is for others to say
    /// (section 8.3). There has to be one, and nothing else.
    pub(crate) fn of(callback_url: &str, path: &str) -> Option<Self> {
        let url = Url::parse(callback_url).ok()?;
        let is_loopback = url.scheme() == "http" && url.host() == Some(Host::Ipv4(Ipv4Addr::LOCALHOST));
        let is_bare = url[..Position::BeforePath] == *url.origin().ascii_serialization()
            && url.path() == path
            && url[Position::AfterPath..].is_empty();
        url.port().filter(|_| is_loopback && is_bare).map(Self)
    }

    pub(crate) fn origin(self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_this_machine_and_nothing_else() {
        let path = "/api/auth/callback/acme";
        for (url, port) in [
            ("http://127.0.0.1:4321/api/auth/callback/acme", Some(4321)),
            ("http://127.0.0.1/api/auth/callback/acme", None),
            ("https://127.0.0.1:4321/api/auth/callback/acme", None),
            ("http://127.0.0.2:4321/api/auth/callback/acme", None),
            ("http://localhost:4321/api/auth/callback/acme", None),
            ("http://[::1]:4321/api/auth/callback/acme", None),
            ("http://10.0.0.1:4321/api/auth/callback/acme", None),
            ("http://user@127.0.0.1:4321/api/auth/callback/acme", None),
            ("http://127.0.0.1:4321@evil.example/api/auth/callback/acme", None),
            ("http://127.0.0.1:4321/api/auth/callback/other", None),
            ("http://127.0.0.1:4321/api/auth/callback/acme/", None),
            ("http://127.0.0.1:4321/api/auth/callback/acme?next=1", None),
            ("http://127.0.0.1:4321/api/auth/callback/acme#top", None),
            ("/api/auth/callback/acme", None),
            ("", None),
        ] {
            assert_eq!(LoopbackPort::of(url, path), port.map(LoopbackPort), "{url}");
        }
    }
}
