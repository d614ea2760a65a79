//! What a case is given.

use std::sync::Arc;

use http::StatusCode;
use portcullis::{
    Dialect,
    client::{Client, ClientBuilder, ClientError, ClientErrorKind, SignIn, SignInOptions, SignInResponse},
};
use url::Url;

use crate::{programs::Program, site::Site};

/// A server, and what its clients know of it.
#[derive(Clone)]
pub struct Visit {
    pub site: Arc<Site>,
    /// Whether clients are told the dialect.
    pub is_told: bool,
}

impl Visit {
    pub fn program(&self) -> &Program {
        &self.site.public
    }

    /// The URL of this path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.program().url)
    }

    pub fn url(&self) -> Url {
        Url::parse(&self.program().url).unwrap()
    }

    pub fn dialect(&self) -> Dialect {
        self.site.server.dialect()
    }

    /// What the client takes the server for. Those of v3 have the cookies of v4.
    pub fn believed(&self) -> Dialect {
        if self.dialect() == Dialect::V3 && !self.is_told { Dialect::V4 } else { self.dialect() }
    }

    /// Servers of v3 do not update sessions. Who takes one for a server of v4 asks it, and is refused.
    pub fn has_no_update(&self, error: &ClientError) {
        let (kind, status) = match self.is_told {
            true => (ClientErrorKind::Unsupported, None),
            false => (ClientErrorKind::Status, Some(StatusCode::BAD_REQUEST)),
        };
        assert_eq!((error.kind(), error.status()), (kind, status), "{error}");
    }

    /// The name of the session cookie.
    pub fn session_cookie(&self) -> &'static str {
        if self.dialect() == Dialect::V5 { "authjs.session-token" } else { "next-auth.session-token" }
    }

    /// A new visitor.
    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub fn builder(&self) -> ClientBuilder {
        self.builder_at(&self.program().url)
    }

    /// A new visitor of the server that believes to be at the listener.
    pub fn native_client(&self) -> Client {
        self.builder_at(&self.site.native.url).build().unwrap()
    }

    fn builder_at(&self, url: &str) -> ClientBuilder {
        let builder = Client::builder(url);
        if self.is_told { builder.dialect(self.dialect()) } else { builder }
    }

    /// Signs in with the password, and stays on the page.
    pub async fn sign_in(&self, client: &Client) -> SignInResponse {
        self.response(client.sign_in("credentials", jsmith().redirect(false), &[]).await.unwrap())
    }

    /// What a sign-in has led to that stays on the page.
    pub fn response(&self, outcome: SignIn) -> SignInResponse {
        match outcome {
            SignIn::Response(response) => response,
            SignIn::Redirect(url) => panic!("it leads to {url}"),
        }
    }
}

/// What is typed into the form.
pub fn jsmith() -> SignInOptions {
    SignInOptions::new().field("username", "jsmith").field("password", "hunter2")
}

/// An address of mail that nobody has used.
pub fn address() -> String {
    format!("{}@example.com", crate::services::unique())
}

/// The name, where somebody is signed in.
pub async fn name(client: &Client) -> Option<String> {
    client.get_session().await.unwrap().map(|session| session.user.name.unwrap_or_default())
}

/// Where a URL leads that may lack its last slash.
pub fn same_page(url: &str) -> &str {
    url.strip_suffix('/').unwrap_or(url)
}
