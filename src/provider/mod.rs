//! Ways to prove who one is.
//!
//! A provider is a value that the builder is given; each kind is a file here.

mod credentials;
mod email;

pub use self::{
    credentials::{Credentials, Field, Rejection, Submitted},
    email::{Email, SignInLink},
};

/// Any provider, as [`AuthBuilder::provider`](crate::AuthBuilder::provider) takes it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Provider {
    /// A user name and a password, or whatever else is typed into a form.
    Credentials(Credentials),
    /// A link by mail.
    Email(Email),
}

impl Provider {
    /// The id, which is part of its URLs.
    pub fn id(&self) -> &str {
        match self {
            Self::Credentials(credentials) => credentials.id(),
            Self::Email(email) => email.id(),
        }
    }

    /// The name on its button.
    pub fn name(&self) -> &str {
        match self {
            Self::Credentials(credentials) => credentials.name(),
            Self::Email(email) => email.name(),
        }
    }

    /// What Auth.js calls its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Credentials(_) => "credentials",
            Self::Email(_) => "email",
        }
    }
}
