use async_trait::async_trait;

use super::{Mail, Mailer};
use crate::error::BoxError;

/// Prints mail to standard output, so that one can open its link: for development only, since whoever sees the
/// output can sign in as anybody.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConsoleMailer;

#[async_trait]
impl Mailer for ConsoleMailer {
    async fn send(&self, mail: Mail) -> Result<(), BoxError> {
        println!("mail to {}: {}\n{}", mail.to.as_str(), mail.subject, mail.text);
        Ok(())
    }

    fn report(&self) -> Vec<String> {
        vec![
            "mail is printed, not sent: whoever sees the output can sign in as anybody (ConsoleMailer)"
                .to_owned(),
        ]
    }
}
