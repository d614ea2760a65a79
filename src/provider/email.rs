//! Links by mail: whoever can open the mailbox is its owner (`docs/protocol.md` section 8).

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use super::Provider;
use crate::{
    callbacks::{Callback, boxed},
    error::BoxError,
    mail::{EmailAddress, Mail, Mailer},
};

/// Signs in with a link that is sent by mail. Needs a store: for the tokens of the links, and for users.
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Auth, Email, OriginPolicy, Secret, mail::ConsoleMailer, store::MemoryStore};
///
/// let auth = Auth::builder(Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P"))
///     .origin(OriginPolicy::fixed("https://app.example")?)
///     .store(MemoryStore::new())
///     .provider(Email::new(ConsoleMailer).max_age(Duration::from_secs(600)))
///     .build()?;
/// # let _ = auth;
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Email {
    id: Cow<'static, str>,
    name: Cow<'static, str>,
    max_age: Duration,
    mailer: Arc<dyn Mailer>,
    write: Option<Callback<SignInLink, Mail>>,
}

/// For a mail of the application's own: what it has to say.
#[derive(Clone)]
#[non_exhaustive]
pub struct SignInLink {
    /// Who asked for it.
    pub to: EmailAddress,
    /// The link that signs them in.
    pub url: String,
    /// The host of the site, for people.
    pub host: String,
    /// How long the link is good.
    pub max_age: Duration,
}

/// Without the link, and without the address.
impl fmt::Debug for SignInLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInLink").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Email {
    /// The provider `email`, whose links are good for a day.
    pub fn new(mailer: impl Mailer) -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self { id: "email".into(), name: "Email".into(), max_age: day, mailer: Arc::new(mailer), write: None }
    }

    /// Another id than `email`.
    pub fn with_id(mut self, id: impl Into<Cow<'static, str>>) -> Self {
        self.id = id.into();
        self
    }

    /// The name on the button.
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// How long a link is good; a day by default.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// A mail of the application's own in place of the built-in one.
    ///
    /// ```
    /// use portcullis::{Email, mail::{ConsoleMailer, Mail}};
    ///
    /// let provider = Email::new(ConsoleMailer).write(async |link| {
    ///     let text = format!("Hello! {} lets you in.", link.url);
    ///     let html = format!("<p>Hello! <a href=\"{}\">Come in</a></p>", link.url.replace('&', "&amp;"));
    ///     Ok(Mail::new(link.to, "Your link", text, html))
    /// });
    /// # let _ = provider;
    /// ```
    pub fn write<F>(mut self, write: impl Fn(SignInLink) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Mail, BoxError>> + Send + 'static,
    {
        self.write = Some(boxed(write));
        self
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.max_age
    }

    pub(crate) fn mailer(&self) -> &Arc<dyn Mailer> {
        &self.mailer
    }

    pub(crate) fn writer(&self) -> Option<&Callback<SignInLink, Mail>> {
        self.write.as_ref()
    }
}

impl From<Email> for Provider {
    fn from(email: Email) -> Self {
        Self::Email(email)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").field("id", &self.id).field("mailer", &self.mailer).finish_non_exhaustive()
    }
}
