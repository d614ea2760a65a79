use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Mail, Mailer};
use crate::error::BoxError;

/// Keeps mail in memory, for tests. Clones are the same box.
///
/// ```
/// use portcullis::{Email, mail::Mailbox};
///
/// let mailbox = Mailbox::default();
/// let provider = Email::new(mailbox.clone());
/// // .. somebody asks for a link ..
/// assert!(mailbox.take().is_empty());
/// # let _ = provider;
/// ```
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Mail>>>);

impl Mailbox {
    /// What has come since this was last asked, oldest first.
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> Result<(), BoxError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        Ok(())
    }
}
