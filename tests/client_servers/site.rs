//! A server, with what surrounds it: a provider of OpenID Connect, and people who read their mail.

use portcullis::Dialect;

use crate::{
    programs::{Program, free_port},
    provider::{self, Provider},
};

/// What runs there.
#[derive(Debug, Clone, Copy)]
pub enum Server {
    /// `examples/demo.rs`.
    Demo(Dialect),
    /// next-auth 3, next-auth 4 or `@auth/core`, each in Node alone.
    Npm(Dialect),
}

pub struct Site {
    pub server: Server,
    /// Which others find at its address.
    pub public: Program,
    /// Which believes to be where the client's listener is.
    pub native: Program,
    /// Where that is.
    pub native_port: u16,
    pub provider: Provider,
}

impl Server {
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Demo(dialect) | Self::Npm(dialect) => dialect,
        }
    }
}

impl Site {
    /// Nothing where Node is missing and that is allowed.
    pub async fn start(server: Server) -> Option<Self> {
        let provider = Provider::start().await;
        let variables = [
            ("AUTH_SECRET", "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"),
            ("OIDC_ISSUER", &provider.issuer),
            ("OIDC_CLIENT_ID", provider::CLIENT),
            ("OIDC_CLIENT_SECRET", provider::CLIENT_SECRET),
        ];
        let native_port = free_port();
        let listener = format!("http://127.0.0.1:{native_port}");
        let public = Program::start(server, &variables).await?;
        let native = Program::start(server, &[&variables[..], &[("AUTH_URL", &listener)]].concat()).await?;
        Some(Self { server, public, native, native_port, provider })
    }
}
