//! Extractors for Axum. Thin: they look up what the layer has found, and decide nothing.

mod extract;
mod reject;

pub use self::reject::AuthRejection;
