use std::{env, fmt, net::IpAddr, time::Duration};

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox as Party, MultiPart},
    transport::smtp::{
        PoolConfig,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use percent_encoding::percent_decode_str;
use tokio::runtime::Handle;
use url::Url;

use super::{Mail, Mailer};
use crate::error::{BoxError, ConfigError};

/// Hands mail to an SMTP server (RFC 5321), each over a connection of its own, in 20 seconds at most.
///
/// `smtp://` begins in the clear and goes over to TLS (STARTTLS, RFC 3207), without which no mail is sent, unless the
/// server is on this machine; `smtps://` is TLS from the start (RFC 8314). Names of servers are verified by the
/// system's certificates.
///
/// ```no_run
/// use portcullis::{Email, mail::SmtpMailer};
///
/// let mailer = SmtpMailer::new("smtp://user:password@mail.example:587", "Example <no-reply@app.example>")?;
/// let provider = Email::new(mailer);
/// # let _ = provider;
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SmtpMailer {
    from: Party,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

/// How long it may take to hand over a mail, from the connection to the end.
const TIMEOUT: Duration = Duration::from_secs(20);

impl SmtpMailer {
    /// A server by its URL (`smtp://` or `smtps://`, with user and password percent-encoded), and who mail is from.
    ///
    /// # Errors
    ///
    /// When the URL is none of SMTP, or the sender is no address; or outside of a Tokio runtime, where the connections
    /// live.
    pub fn new(server: &str, from: &str) -> Result<Self, ConfigError> {
        Handle::try_current().map_err(|_| {
            ConfigError::one("there is no Tokio runtime for mail", "make the mailer inside of one")
        })?;
        let bad_url = || {
            ConfigError::one(
                "the SMTP server's URL cannot be read",
                "write it as smtp://user:password@host:587 or smtps://host",
            )
        };
        let url = Url::parse(server).map_err(|_| bad_url())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(bad_url)?;
        let from = from.parse().map_err(|_| {
            ConfigError::one(
                "the sender of mail is no address",
                "write it as no-reply@app.example or App <no-reply@app.example>",
            )
        })?;
        let tls = || {
            TlsParameters::new(host.to_owned())
                .map_err(|_| ConfigError::one("there is no TLS for mail", "check the system's certificates"))
        };
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::Wrapper(tls()?), 465),
            "smtp" if is_this_machine(host) => (Tls::None, 25),
            "smtp" => (Tls::Required(tls()?), 587),
            _ => return Err(bad_url()),
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.trim_matches(['[', ']']))
                .port(url.port().unwrap_or(port))
                .tls(tls)
                .timeout(Some(TIMEOUT))
                // None is used again: lettre would keep one that was given up half-way, and say the next mail into it,
                // with a link of somebody else.
                .pool_config(PoolConfig::new().max_size(0));
        if !url.username().is_empty() {
            let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            builder = builder.credentials(Credentials::new(
                decode(url.username()),
                decode(url.password().unwrap_or_default()),
            ));
        }
        Ok(Self { from, transport: builder.build() })
    }

    /// From `EMAIL_SERVER` and `EMAIL_FROM`, as next-auth has it.
    ///
    /// # Errors
    ///
    /// When one of them is not set, or as [`new`](Self::new).
    pub fn from_env() -> Result<Self, ConfigError> {
        let variable = |name: &'static str| {
            let missing = || ConfigError::one(format!("{name} is not set"), "set it, or use SmtpMailer::new");
            env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(missing)
        };
        Self::new(&variable("EMAIL_SERVER")?, &variable("EMAIL_FROM")?)
    }
}

/// Nobody on the network sees what is said there.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: Mail) -> Result<(), BoxError> {
        let to = Party::new(None, mail.to.as_str().parse()?);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject)
            .multipart(MultiPart::alternative_plain_html(lines(&mail.text), lines(&mail.html)))?;
        // lettre limits the connecting alone.
        tokio::time::timeout(TIMEOUT, self.transport.send(message)).await??;
        Ok(())
    }
}

/// With line ends that lettre writes as CR and LF: a bare CR would go out as it is, and some servers end a message there
/// that others do not.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Who mail is from; not the server, whose URL may hold a password.
impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("from", &self.from.email.to_string()).finish_non_exhaustive()
    }
}
