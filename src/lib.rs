//! **portcullis** brings NextAuth.js / Auth.js to the Tower world: one [`AuthLayer`] in front of any Tower
//! stack resolves the session of each request, answers the Auth.js endpoints under `/api/auth`, and gives
//! handlers [`Session`] and [`RequireAuth`].
//!
//! The official npm clients (next-auth v3, v4, v5 beta) work against it unmodified, and it reads and writes
//! the cookies of an existing Next.js application.
//!
//! ```no_run
//! # #[cfg(feature = "axum")] mod example {
//! use axum::{Router, routing::get};
//! use portcullis::{Auth, AuthLayer, BoxError, Credentials, Field, RequireAuth, Secret, Session, Submitted, User};
//!
//! async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
//!     let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
//!     Ok(known.then(|| User::new("1").name("J Smith").email("jsmith@example.com")))
//! }
//!
//! async fn me(session: Session) -> String {
//!     format!("you are {}", session.user.email.unwrap_or_default())
//! }
//!
//! # pub
//! async fn serve() -> Result<(), BoxError> {
//!     let auth = Auth::builder(Secret::from_env()?) // AUTH_SECRET
//!         .provider(
//!             Credentials::new(check_password)
//!                 .field(Field::text("username", "Username"))
//!                 .field(Field::password("password", "Password")),
//!         )
//!         .build()?; // reports every configuration problem at once
//!
//!     let app = Router::new()
//!         .route("/me", get(me).layer(RequireAuth::signed_in()))
//!         .layer(AuthLayer::new(auth)); // resolves the session and serves /api/auth/*
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app).await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `axum` | yes | extractors for Axum 0.8 |
//! | `jws` | no | signed tokens (HS, RS, PS, ES, EdDSA) with the aws-lc backend of `jsonwebtoken` |
//! | `tonic` | no | sessions from a `tonic::Request`, guards around a gRPC service, a watch for streams |
//! | `hyper-client` | no | an HTTP client on hyper and rustls, for public keys that are read from a URL |
//! | `oauth` | no | OAuth 2 and OpenID Connect: any provider, and presets for those of Auth.js |
//! | `client` | no | `getSession`, `signIn`, `signOut` and `SessionProvider` for Rust programs |
//! | `sqlite`, `postgres`, `mysql` | no | users and sessions in a database, through sqlx (Rust 1.94) |
//! | `redis` | no | users and sessions in Redis or Valkey, a single server or a cluster |
//! | `smtp` | no | mail through an SMTP server, for links by mail |
//! | `cache`, `metrics` | no | a cache in front of a store; counts and times of its calls |
//! | `conformance` | no | the checks that every store has to pass, for stores of one's own |
//! | `aws-lc`, `rust-crypto` | no | the two backends by name; `jws` is `aws-lc` |
//!
//! # Where things are
//!
//! [`layer`] is how requests are handled, [`guard`] who may pass, [`codec`] what tokens are,
//! [`store`] where users and sessions are kept, [`mail`] how mail leaves, [`http_client`] how other servers
//! are asked, `client` what other programs sign in with. What the wire is, exactly, stands in `docs/protocol.md` of
//! the repository; in what we are stricter than Auth.js, in `docs/hardening.md`; how stores are used, in
//! `docs/stores.md`, and clients, in `docs/client.md`; which test proves which security requirement, in
//! `docs/security.md`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unreachable_pub)]

mod account;
mod auth;
#[cfg(feature = "axum")]
mod axum;
mod callbacks;
#[cfg(feature = "client")]
pub mod client;
mod clock;
pub mod codec;
mod cookie;
mod cross_site;
mod dialect;
mod error;
mod grpc;
pub mod guard;
mod head;
pub mod http_client;
pub mod layer;
pub mod mail;
mod mailed;
#[cfg(feature = "oauth")]
mod oauth;
mod origin;
mod pages;
mod provider;
mod random;
mod reply;
mod routes;
mod secret;
mod session;
pub mod store;
#[cfg(test)]
mod testing;
#[cfg(feature = "tonic")]
pub mod tonic;
mod user;

pub use http;

#[cfg(feature = "oauth")]
pub use self::auth::{ProviderToken, ProviderTokenError, ProviderTokenErrorKind};
#[cfg(feature = "axum")]
pub use self::axum::{AuthRejection, Require, Requirement};
#[cfg(feature = "oauth")]
pub use self::provider::{
    ButtonStyle, ClientAuthentication, Endpoints, OAuth, Profile, ProfileMap, Proof, Protocol, Quirks, preset,
};
pub use self::{
    account::LinkingPolicy,
    auth::{
        Auth, AuthBuilder, AuthContext, CredentialsUsers, SessionInfo, SessionWatch, SignInError,
        StartupReport, Sweep, Token, VerifierBuilder,
    },
    callbacks::{Event, JwtContext, RedirectContext, SessionContext, SignInContext, SignInDecision, Trigger},
    clock::{Clock, SystemClock, Timestamp},
    cookie::{CookieKind, CookieOptions, SameSite},
    dialect::Dialect,
    error::{BoxError, ConfigError, SessionError, SessionErrorKind},
    guard::RequireAuth,
    layer::{AuthLayer, AuthService, get_auth_context, get_raw_token, get_server_session, get_token},
    origin::{OriginPolicy, PeerAddr},
    pages::{ColorScheme, Pages, Theme},
    provider::{Credentials, Email, Field, Provider, Rejection, SignInLink, Submitted},
    secret::Secret,
    session::{Claims, Client, Lifetime, RevocationPolicy, Session, SessionIds, SessionUser},
    user::{Account, ProviderTokens, User},
};

/// The code of the README compiles.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
