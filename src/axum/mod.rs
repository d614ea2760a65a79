//! Extractors for Axum. Thin: they look up what the layer has found, and decide nothing.

mod extract;
mod reject;
mod require;

pub use self::{
    reject::AuthRejection,
    require::{Require, Requirement},
};
