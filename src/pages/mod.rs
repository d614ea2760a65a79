//! The built-in pages: HTML with its own CSS and no script (`docs/protocol.md` section 14).
//!
//! Texts are those of Auth.js, so that whoever knows its pages knows these. Everything that is not ours goes
//! through [`Html`], which escapes.

mod color;
mod config;
mod confirm;
mod error;
mod html;
mod mail;
mod sign_in;
mod sign_out;
mod style;
#[cfg(test)]
mod tests;
mod verify_request;

pub use self::config::{ColorScheme, Pages, Theme};
pub(crate) use self::{
    confirm::{Confirm, page as confirm},
    error::{ErrorMessage, page as error},
    mail::sign_in_mail,
    sign_in::{SignIn, message as sign_in_message, page as sign_in},
    sign_out::page as sign_out,
    style::Style,
    verify_request::{CodeForm, page as verify_request},
};
