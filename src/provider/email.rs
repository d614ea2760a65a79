//! Links by mail: whoever can open the mailbox is its owner (`docs/protocol.md` section 8).

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc, time::Duration};

use http::{Extensions, HeaderMap};

use super::Provider;
use crate::{
    callbacks::{Callback, boxed},
    error::{BoxError, ConfigError},
    mail::{EmailAddress, Mail, Mailer},
    mailed::Limit,
    secret::Secret,
};

/// Signs in with a link that is sent by mail. Needs a store: for the tokens of the links, and for users.
///
/// As in Auth.js, opening the link signs in. Programs that look into mail open links, too, and use them up:
/// [`confirm`](Self::confirm) is recommended, which asks first, and [`code`](Self::code) for people who read their mail
/// on another device.
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
    normalise: Option<Callback<String, Option<EmailAddress>>>,
    generate: Option<Callback<(), String>>,
    secret: Option<Secret>,
    confirm: bool,
    same_browser: bool,
    code: bool,
    per_address: Limit,
    per_source: Limit,
    source: Option<FindSource>,
}

pub(crate) type FindSource = Arc<dyn Fn(&HeaderMap, &Extensions) -> Option<IpAddr> + Send + Sync>;

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
    /// What may be typed instead in the browser that asked ([`Email::code`]), for ten minutes at most.
    pub code: Option<String>,
}

/// Without the link, the code and the address.
impl fmt::Debug for SignInLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInLink").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Email {
    /// The provider `email`, whose links are good for a day.
    pub fn new(mailer: impl Mailer) -> Self {
        let hour = Duration::from_secs(60 * 60);
        Self {
            id: "email".into(),
            name: "Email".into(),
            max_age: 24 * hour,
            mailer: Arc::new(mailer),
            write: None,
            normalise: None,
            generate: None,
            secret: None,
            confirm: false,
            same_browser: false,
            code: false,
            per_address: Limit::new(5, hour),
            per_source: Limit::new(30, hour),
            source: None,
        }
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

    /// Whether opening the link asks first: a page names the site and who will be signed in, and its button signs in.
    /// Recommended. Off by default, since opening the link is what signs in at Auth.js; the link is the same.
    ///
    /// Without it, programs that look into mail use links up before people can, and a link that somebody else has asked
    /// for signs whoever opens it in as somebody else.
    pub fn confirm(mut self, confirm: bool) -> Self {
        self.confirm = confirm;
        self
    }

    /// Whether a link is good only in the browser that has asked for one to the same address, and last; elsewhere it
    /// is answered `error=Verification`, and stays good. Off by default: people read their mail on another device.
    pub fn same_browser(mut self, same_browser: bool) -> Self {
        self.same_browser = same_browser;
        self
    }

    /// Whether the mail carries a code, too: eight digits that are typed on the page that says to look into the mail,
    /// in the browser that asked. A code is good for ten minutes and ten attempts, however many instances count them,
    /// and until the link is used; the link is good until the code is. Off by default.
    ///
    /// A page of your own ([`Pages::verify_request`](crate::Pages::verify_request)) posts `csrfToken` and `code` to
    /// `callback/email` under the base path; it is given `error=Verification` where the code was another one.
    pub fn code(mut self, code: bool) -> Self {
        self.code = code;
        self
    }

    /// How many mails one address may be sent in any such time; 5 in an hour by default, 0 for any number, and at most
    /// 100. Counted in the store, for all instances. Whoever asks for one more is answered as if it were sent: the
    /// answer must not say what others have asked for.
    pub fn limit(mut self, mails: u32, per: Duration) -> Self {
        self.per_address = Limit::new(mails, per);
        self
    }

    /// How many mails one source may ask for, whatever their addresses: that many at once, and then again one in each
    /// share of the time; 30 and an hour by default, 0 for any number. Counted in this process. Whoever asks for one
    /// more is answered `error=EmailSignin`.
    ///
    /// A source is an address of IPv4 or a /64 of IPv6: that of [`PeerAddr`](crate::PeerAddr), or what the proxies of
    /// [`OriginPolicy::behind`](crate::OriginPolicy::behind) and
    /// [`forwarded`](crate::OriginPolicy::forwarded) say in `X-Forwarded-For`. Behind a proxy that is not named, all are
    /// one source. A request without a `PeerAddr` is of no source, and not limited, which the log says once as `WARN`;
    /// see [`source`](Self::source).
    pub fn limit_source(mut self, mails: u32, per: Duration) -> Self {
        self.per_source = Limit::new(mails, per);
        self
    }

    /// Another way to know where a request comes from, for [`limit_source`](Self::limit_source).
    ///
    /// ```
    /// use portcullis::{Email, mail::ConsoleMailer};
    ///
    /// // Only where every way leads through a proxy that sets this header itself.
    /// let provider = Email::new(ConsoleMailer)
    ///     .source(|headers, _| headers.get("x-real-ip")?.to_str().ok()?.parse().ok());
    /// # let _ = provider;
    /// ```
    pub fn source(
        mut self,
        source: impl Fn(&HeaderMap, &Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What is made of the address that somebody typed, in place of [`EmailAddress::parse`]: `normalizeIdentifier` of
    /// Auth.js. `None` refuses it. Whatever is done, an [`EmailAddress`] is one address.
    ///
    /// ```
    /// use portcullis::{Email, mail::{ConsoleMailer, EmailAddress}};
    ///
    /// let colleagues = Email::new(ConsoleMailer).normalize_identifier(async |typed| {
    ///     let address = EmailAddress::parse(&typed);
    ///     Ok(address.filter(|address| address.as_str().ends_with("@app.example")))
    /// });
    /// # let _ = colleagues;
    /// ```
    pub fn normalize_identifier<F>(mut self, normalise: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<EmailAddress>, BoxError>> + Send + 'static,
    {
        self.normalise = Some(boxed(normalise));
        self
    }

    /// What stands in the link, in place of 256 random bits in hexadecimal. Whoever guesses it signs in, and guesses
    /// are not counted: for something short to be typed there is [`code`](Self::code).
    pub fn generate_verification_token<F>(mut self, generate: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        self.generate = Some(boxed(move |()| generate()));
        self
    }

    /// A secret of this provider's own, in place of the application's, for the hashes of tokens in the store.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
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

    /// What was decided, for the report at the start.
    pub(crate) fn report(&self) -> Vec<String> {
        let id = &self.id;
        let opening = match (self.confirm, self.same_browser) {
            (true, _) => "a page asks before a mailed link signs in",
            (false, true) => "opening a mailed link signs in, in the browser that asked for it only",
            (false, false) => {
                "opening a mailed link signs in, as in Auth.js (`Email::confirm(true)` asks first)"
            }
        };
        let limit = |limit: &Limit| match limit.count {
            0 => "any number of mails".to_owned(),
            count => format!("{count} mails in {} s", limit.per.as_secs()),
        };
        let (address, source) = (limit(&self.per_address), limit(&self.per_source));
        let known = match (&self.source, self.per_source.count) {
            (_, 0) => "",
            (None, _) => {
                ", if requests say where they come from (`PeerAddr`, and `OriginPolicy::behind` for proxies; or \
                 `Email::source`): all without that may ask for any number"
            }
            (Some(_), _) => ", if `Email::source` knows it: all others may ask for any number",
        };
        let limits =
            format!("an address is sent {address}, and a source of requests may ask for {source}{known}");
        [opening.to_owned(), limits].map(|decision| format!("{id}: {decision}")).to_vec()
    }

    /// What keeps it from working, each with its remedy.
    pub(crate) fn check(&self, problems: &mut ConfigError) {
        let id = &self.id;
        for (problem, remedy) in self.secret.iter().flat_map(Secret::problems) {
            problems.add(format!("{id:?} has a secret of its own: {problem}"), remedy);
        }
        if self.per_address.count > 100 || self.per_address.per.is_zero() {
            problems.add(
                format!("the limit of mails of {id:?} cannot be counted"),
                "set it to 100 at most in some time, or to 0 for none",
            );
        }
    }

    pub(crate) fn normaliser(&self) -> Option<&Callback<String, Option<EmailAddress>>> {
        self.normalise.as_ref()
    }

    pub(crate) fn generator(&self) -> Option<&Callback<(), String>> {
        self.generate.as_ref()
    }

    pub(crate) fn own_secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    pub(crate) fn asks_first(&self) -> bool {
        self.confirm
    }

    pub(crate) fn is_for_one_browser(&self) -> bool {
        self.same_browser
    }

    pub(crate) fn has_code(&self) -> bool {
        self.code
    }

    /// Whether the browser that asks is to know that it has.
    pub(crate) fn marks_browser(&self) -> bool {
        self.confirm || self.same_browser || self.code
    }

    pub(crate) fn per_address(&self) -> Limit {
        self.per_address
    }

    pub(crate) fn per_source(&self) -> Limit {
        self.per_source
    }

    pub(crate) fn find_source(&self) -> Option<&FindSource> {
        self.source.as_ref()
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
