//! Ways to prove who one is.
//!
//! A provider is a value that the builder is given; each kind is a file here.

mod credentials;
mod email;
#[cfg(feature = "oauth")]
mod oauth;
#[cfg(feature = "oauth")]
pub mod preset;

#[cfg(feature = "oauth")]
use std::sync::Arc;

#[cfg(feature = "oauth")]
pub use self::oauth::{
    ButtonStyle, ClientAuthentication, Endpoints, OAuth, Profile, ProfileMap, Proof, Protocol, Quirks,
};
#[cfg(feature = "oauth")]
pub(crate) use self::oauth::{Method, is_reserved};
pub use self::{
    credentials::{Credentials, Field, Rejection, Submitted},
    email::{Email, SignInLink},
};
use crate::{account::LinkingPolicy, error::ConfigError};

/// Any provider, as [`AuthBuilder::provider`](crate::AuthBuilder::provider) takes it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Provider {
    /// A user name and a password, or whatever else is typed into a form.
    Credentials(Credentials),
    /// A link by mail.
    Email(Email),
    /// Another site that knows the user: OAuth 2 or OpenID Connect.
    #[cfg(feature = "oauth")]
    OAuth(Arc<OAuth>),
}

impl Provider {
    /// The id, which is part of its URLs.
    pub fn id(&self) -> &str {
        match self {
            Self::Credentials(credentials) => credentials.id(),
            Self::Email(email) => email.id(),
            #[cfg(feature = "oauth")]
            Self::OAuth(oauth) => &oauth.id,
        }
    }

    /// The name on its button.
    pub fn name(&self) -> &str {
        match self {
            Self::Credentials(credentials) => credentials.name(),
            Self::Email(email) => email.name(),
            #[cfg(feature = "oauth")]
            Self::OAuth(oauth) => &oauth.name,
        }
    }

    /// Background and text of its button, as they were written; empty for those of the theme.
    pub(crate) fn button_colors(&self) -> [&'static str; 2] {
        match self {
            Self::Credentials(_) | Self::Email(_) => [""; 2],
            #[cfg(feature = "oauth")]
            Self::OAuth(oauth) => [oauth.button.background, oauth.button.text],
        }
    }

    /// What Auth.js 5 calls its type; older ones call `oidc` `oauth` (`docs/protocol.md` section 6).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Credentials(_) => "credentials",
            Self::Email(_) => "email",
            #[cfg(feature = "oauth")]
            Self::OAuth(oauth) => oauth.protocol.kind(),
        }
    }

    /// Its own policy of linking, if it has one.
    pub(crate) fn linking(&self) -> Option<LinkingPolicy> {
        match self {
            Self::Credentials(_) | Self::Email(_) => None,
            #[cfg(feature = "oauth")]
            Self::OAuth(oauth) => oauth.linking,
        }
    }

    /// Whether signing out here and there are one.
    pub(crate) fn has_federated_logout(&self) -> bool {
        match self {
            Self::Credentials(_) | Self::Email(_) => false,
            #[cfg(feature = "oauth")]
            Self::OAuth(oauth) => oauth.federated_logout,
        }
    }

    /// What keeps it from working, each with its remedy.
    pub(crate) fn check(&self, problems: &mut ConfigError) {
        match self {
            Self::Credentials(credentials) => credentials.check(problems),
            Self::Email(email) => email.check(problems),
            #[cfg(feature = "oauth")]
            Self::OAuth(oauth) => oauth.check(problems),
        }
    }
}
