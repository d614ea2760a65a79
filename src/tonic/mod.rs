//! Sessions in gRPC, with Tonic (feature `tonic`).
//!
//! The layer goes in front of the whole server, and services stay as they are:
//!
//! ```no_run
//! use portcullis::{Auth, AuthLayer, Secret};
//! use tonic::transport::Server;
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let auth = Auth::verifier(Secret::from_env()?).build()?;
//! let mut server = Server::builder().layer(AuthLayer::new(auth));
//! // server.add_service(GreeterServer::new(greeter)).serve(address).await?;
//! # let _ = server;
//! # Ok(())
//! # }
//! ```
//!
//! A method asks its request: [`SessionRequestExt`], or [`get_server_session`](crate::get_server_session) and its
//! siblings, which take a `tonic::Request` like any other. The session comes from the metadata: `cookie`, as
//! browsers send it with gRPC-Web, or else `authorization: Bearer` with the same token.
//!
//! A guard goes around one service: `RequireAuth::signed_in().grpc().layer(GreeterServer::new(greeter))`; some of its
//! methods are named with `matching(["/greeter.v1.Greeter/Delete"])`. Refusals are trailers alone: `UNAUTHENTICATED`
//! (16) if nobody is signed in, `PERMISSION_DENIED` (7) if this user may not, `UNAVAILABLE` (14) if it cannot be known
//! now.
//!
//! Tonic calls a method whatever the content type of the request is, so a form of another site would reach it, with the
//! cookie. [`SessionRequestExt`] and [`RequireAuth::grpc`](crate::RequireAuth::grpc) take a cookie only with gRPC's
//! content type; `get_server_session` does not look.
//!
//! For gRPC-Web put `tonic_web::GrpcWebLayer` inside of this layer (outside of it, it answers the sign-in page with an
//! empty 400); guards stand inside of both.
//!
//! A stream outlives the look at its session: [`while_signed_in`] ends it when the session does.

mod request;
mod service;
mod status;
mod stream;

pub use self::{
    request::SessionRequestExt,
    stream::{WhileSignedIn, while_signed_in},
};
