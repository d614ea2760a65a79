//! The client API of Auth.js for Rust programs: desktop and mobile shells, programs for the terminal, services, tests.
//!
//! Browsers keep the npm client. A program has a [`Client`] instead, which is one visitor of a server: of ours, of
//! next-auth 3 and 4, or of Auth.js 5.
//!
//! | npm | here |
//! |---|---|
//! | `getSession()`, `getCsrfToken()`, `getProviders()` | [`Client::get_session`], [`get_csrf_token`](Client::get_csrf_token), [`get_providers`](Client::get_providers) |
//! | `signIn()`, `signOut()` | [`Client::sign_in`], [`sign_out`](Client::sign_out) |
//! | `update()` of `useSession()` | [`Client::update`] |
//! | `<SessionProvider>`, `useSession()` | [`SessionProvider`], [`use_session`](SessionProvider::use_session) |
//! | `fetch()` of a page | [`Client::fetch`] |
//! | the cookies of the browser | [`CookieJar`], kept in a [`JarFile`] |
//! | a sign-in at GitHub | [`Client::sign_in_native`] |
//!
//! Where npm writes to the console and returns `null`, there is a [`ClientError`]; where it changes
//! `window.location`, the result says where to ([`SignIn::Redirect`]). How all of it is used stands in `docs/client.md`.

mod builder;
#[expect(clippy::module_inception, reason = "the name of what it has")]
mod client;
mod client_safe_provider;
mod error;
mod jar;
mod jar_file;
mod native;
mod server;
mod session;
mod session_cookie;
mod session_provider;
mod sign_in;
mod sign_out;

pub use self::{
    builder::ClientBuilder,
    client::Client,
    client_safe_provider::ClientSafeProvider,
    error::{ClientError, ClientErrorKind},
    jar::{CookieJar, JarStorage},
    jar_file::JarFile,
    native::NativeSignIn,
    session::Session,
    session_provider::{SessionProvider, SessionProviderBuilder, SessionState, SessionStatus},
    sign_in::{SignIn, SignInOptions, SignInResponse},
    sign_out::SignOutOptions,
};
