//! How mail leaves: a port, and what stands behind it.
//!
//! [`Mailer`] is what the provider [`Email`](crate::Email) sends with. `SmtpMailer` (feature `smtp`) hands mail to a
//! server, [`ConsoleMailer`] prints it while one develops, [`Mailbox`] keeps it for tests.

mod address;
mod console;
mod mailbox;
#[cfg(feature = "smtp")]
mod smtp;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

#[cfg(feature = "smtp")]
pub use self::smtp::SmtpMailer;
pub use self::{address::EmailAddress, console::ConsoleMailer, mailbox::Mailbox};
use crate::error::BoxError;

/// A mail to one person, in two forms that say the same.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// Who gets it. One address, checked: it can be put into a header.
    pub to: EmailAddress,
    /// The subject, without line breaks.
    pub subject: String,
    /// For programs that show text.
    pub text: String,
    /// For programs that show HTML.
    pub html: String,
}

impl Mail {
    /// A mail. Line breaks in the subject become blanks.
    pub fn new(
        to: EmailAddress,
        subject: impl Into<String>,
        text: impl Into<String>,
        html: impl Into<String>,
    ) -> Self {
        let subject = subject.into().replace(char::is_control, " ");
        Self { to, subject, text: text.into(), html: html.into() }
    }
}

/// Without what it says, which signs somebody in.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Sends mail.
#[async_trait]
pub trait Mailer: fmt::Debug + Send + Sync + 'static {
    /// Hands a mail over. It is on its way, or known to be refused, when this ends.
    ///
    /// # Errors
    ///
    /// When it was not taken. The error is logged; the client learns only that no mail was sent.
    async fn send(&self, mail: Mail) -> Result<(), BoxError>;

    /// What its operator should know, for the report at the start; nothing by default.
    fn report(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A mailer that was chosen while the program runs.
#[async_trait]
impl<M: Mailer + ?Sized> Mailer for Arc<M> {
    async fn send(&self, mail: Mail) -> Result<(), BoxError> {
        (**self).send(mail).await
    }

    fn report(&self) -> Vec<String> {
        (**self).report()
    }
}
