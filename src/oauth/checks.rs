//! What binds the answer of a provider to the browser that asked: `state`, the code verifier of PKCE, and `nonce`
//! (RFC 6749 section 10.12, RFC 7636, OpenID Connect Core section 15.5.2; `docs/protocol.md` section 7.2).
//!
//! A browser keeps them in sealed cookies. There are those of the dialect, of which each tab overwrites the last
//! one's; and one for each sign-in, named after its state, which holds all of it. An answer is judged by the latter;
//! by the former only if a server of the npm packages has begun the sign-in. At https the browser takes the latter from
//! this host alone (`__Host-`), and the former from a sibling domain, too, which may have begun it in another browser.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    form::PostedForm,
    handover::{Handover, LoopbackPort},
};
use crate::{
    clock::Timestamp,
    codec::{self, Codec, CodecError},
    cookie::{CookieHeaders, CookieNames, CookieSpec, SetCookie},
    dialect::Rules,
    provider::OAuth,
    random,
    secret::Secret,
};

/// How long a sign-in may take.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How many sign-ins one browser may have open; the oldest make room.
const MAX_OPEN: usize = 5;
/// The longest cookie of a sign-in, in bytes. Five of them, and the rest, have to fit into what servers take.
const MAX_COOKIE_BYTES: usize = 2000;

/// A sign-in that has begun.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) provider: String,
    pub(crate) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code_verifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    pub(crate) redirect_uri: String,
    /// Where the browser goes afterwards. `None` in a sign-in that a server of the npm packages has begun: there it is
    /// in a cookie of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) callback_url: Option<String>,
    /// Who was signed in then: for them alone this may link an account.
    pub(crate) began_as: BeganAs,
    #[serde(rename = "exp")]
    end: i64,
}

/// Who was signed in when a sign-in began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BeganAs {
    Nobody,
    User(String),
    /// A server of the npm packages has not written that down.
    Unknown,
}

/// The request that carries the cookies.
pub(crate) struct Carrier<'r> {
    pub(crate) cookies: CookieHeaders<'r>,
    pub(crate) https: bool,
    pub(crate) now: Timestamp,
}

/// The cookies of both schemes.
pub(crate) struct Checks {
    schemes: [Scheme; 2],
    /// Where the state itself is sealed (v5).
    state: Option<Arc<dyn Codec>>,
    posted: PostedForm,
    handover: Handover,
    writes_cookies: bool,
    leeway: i64,
}

/// The cookies of one scheme, each with what seals it.
struct Scheme {
    state: Sealed,
    pkce: Sealed,
    nonce: Sealed,
    transaction: Arc<dyn Codec>,
}

struct Sealed {
    spec: CookieSpec,
    codec: Arc<dyn Codec>,
}

/// The payload of a cookie of the dialect.
#[derive(Deserialize)]
struct Check {
    value: String,
    provider: String,
    exp: i64,
    /// What this crate writes beside that, and the packages do not.
    began_as: Option<BeganAs>,
}

impl Checks {
    /// `names` are those at http and at https.
    pub(crate) fn new(rules: &Rules, secret: &Secret, names: [&CookieNames; 2]) -> Self {
        let codec = |salt: &str| codec::for_purpose(rules.token, secret, salt);
        let sealed = |spec: &CookieSpec| Sealed { spec: spec.clone(), codec: codec(&spec.name) };
        let schemes = names.map(|names| Scheme {
            state: sealed(&names.state),
            pkce: sealed(&names.pkce_code_verifier),
            nonce: sealed(&names.nonce),
            transaction: codec(&format!("{}.transaction", names.state.name)),
        });
        Self {
            schemes,
            state: rules.seals_state.then(|| codec("encodedState")),
            posted: PostedForm::new(codec("posted form")),
            handover: Handover::new(codec("handover state")),
            writes_cookies: rules.check_cookies,
            leeway: rules.leeway,
        }
    }

    pub(crate) fn posted(&self) -> &PostedForm {
        &self.posted
    }

    /// Begins a sign-in: new random values, and the cookies that keep them. With a `port`, a program that listens there
    /// keeps them, and not the browser that goes to the provider.
    pub(crate) fn begin(
        &self,
        provider: &OAuth,
        redirect_uri: String,
        callback_url: &str,
        began_as: BeganAs,
        port: Option<LoopbackPort>,
        request: &Carrier<'_>,
    ) -> Result<(Transaction, Vec<SetCookie>), CodecError> {
        let end = request.now.plus(LIFETIME);
        let mut transaction = Transaction {
            provider: provider.id.clone().into_owned(),
            state: self.new_state(end, port)?,
            code_verifier: provider.pkce.then(random_text).transpose()?,
            nonce: provider.nonce.then(random_text).transpose()?,
            redirect_uri,
            callback_url: Some(callback_url.to_owned()),
            began_as,
            end: end.as_secs(),
        };
        let scheme = self.scheme(request.https);
        let mut cookies = Vec::new();
        if self.writes_cookies {
            let values = [
                (&scheme.state, Some(&transaction.state)),
                (&scheme.pkce, transaction.code_verifier.as_ref()),
                (&scheme.nonce, transaction.nonce.as_ref()),
            ];
            for (cookie, value) in values {
                let Some(value) = value else { continue };
                let check = json!({
                    "value": value,
                    "provider": transaction.provider,
                    "iat": request.now.as_secs(),
                    "exp": transaction.end,
                    "jti": uuid::Uuid::new_v4().to_string(),
                    "began_as": transaction.began_as,
                });
                let value = cookie.codec.encode(check.to_string().as_bytes())?;
                cookies.push(cookie.spec.set_for(&cookie.spec.name, &value, LIFETIME, request.now));
            }
        }
        let mut sealed = scheme.seal(&transaction)?;
        if sealed.len() > MAX_COOKIE_BYTES {
            // A very long URL: the cookie for it alone has to do.
            transaction.callback_url = None;
            sealed = scheme.seal(&transaction)?;
        }
        let name = scheme.name_of(&transaction.state);
        cookies.push(scheme.state.spec.set_for(&name, &sealed, LIFETIME, request.now));
        cookies.extend(scheme.make_room(request));
        Ok((transaction, cookies))
    }

    /// The sign-in that an answer with this state belongs to.
    ///
    /// # Errors
    ///
    /// Why it belongs to none, for the log.
    pub(crate) fn find(
        &self,
        provider: &OAuth,
        state: &str,
        redirect_uri: &str,
        request: &Carrier<'_>,
    ) -> Result<Transaction, &'static str> {
        let scheme = self.scheme(request.https);
        let transaction = match request.cookies.find(&scheme.name_of(state)) {
            Some(sealed) => {
                let transaction = scheme.open(&sealed).ok_or("its cookie was not sealed here")?;
                expect_state(&transaction.state, state)?;
                transaction
            }
            None => self.of_cookies(provider, state, redirect_uri, request, scheme)?,
        };
        if transaction.provider != provider.id {
            return Err("it was begun at another provider");
        }
        if transaction.redirect_uri != redirect_uri {
            return Err("it was begun at another address of this site");
        }
        if transaction.end <= request.now.as_secs() - self.leeway {
            return Err("it has taken longer than 15 minutes");
        }
        if transaction.code_verifier.is_some() != provider.pkce
            || transaction.nonce.is_some() != provider.nonce
        {
            return Err("it was begun with other checks");
        }
        Ok(transaction)
    }

    /// Where the program listens that an answer with this state is to be passed on to: one that has begun the sign-in,
    /// and has not sent this request itself.
    pub(crate) fn awaited_at(&self, state: &str, request: &Carrier<'_>) -> Option<LoopbackPort> {
        let port = self.handover.port(state, request.now)?;
        let name = self.scheme(request.https).name_of(state);
        request.cookies.find(&name).is_none().then_some(port)
    }

    /// A sign-in that a server of the npm packages has begun.
    ///
    /// One that was begun here has a cookie of its own. Without that, its other cookies may have been put into this browser
    /// by whoever can set cookies for its domain, to sign it in as somebody else.
    fn of_cookies(
        &self,
        provider: &OAuth,
        state: &str,
        redirect_uri: &str,
        request: &Carrier<'_>,
        scheme: &Scheme,
    ) -> Result<Transaction, &'static str> {
        let none = "this browser has no cookie of it: it was begun under another host (localhost is not 127.0.0.1) or \
                    scheme (http, https), in another browser, more than 15 minutes ago, or five others were begun since";
        if !self.writes_cookies {
            return Err(none);
        }
        let check = |cookie: &Sealed| -> Option<Check> {
            let opened = cookie.codec.decode(&request.cookies.find(&cookie.spec.name)?).ok()?;
            serde_json::from_slice(&opened.claims).ok().filter(|check: &Check| check.began_as.is_none())
        };
        let sent = check(&scheme.state).ok_or(none)?;
        expect_state(&sent.value, state)?;
        let mut end = sent.exp;
        let mut value = |wanted: bool, cookie: &Sealed| -> Result<Option<String>, &'static str> {
            if !wanted {
                return Ok(None);
            }
            let check = check(cookie).filter(|check| check.provider == sent.provider);
            let check = check.ok_or("a cookie with one of its checks is missing")?;
            end = end.min(check.exp);
            Ok(Some(check.value))
        };
        let (code_verifier, nonce) =
            (value(provider.pkce, &scheme.pkce)?, value(provider.nonce, &scheme.nonce)?);
        Ok(Transaction {
            provider: sent.provider,
            state: sent.value,
            code_verifier,
            nonce,
            redirect_uri: redirect_uri.to_owned(),
            callback_url: None,
            began_as: BeganAs::Unknown,
            end,
        })
    }

    /// Removes the cookies of a sign-in that has come to its end.
    pub(crate) fn clear(&self, transaction: &Transaction, request: &Carrier<'_>) -> Vec<SetCookie> {
        let scheme = self.scheme(request.https);
        let own = scheme.name_of(&transaction.state);
        let plain =
            [&scheme.state, &scheme.pkce, &scheme.nonce].map(|cookie| (&cookie.spec, &cookie.spec.name));
        plain
            .into_iter()
            .chain([(&scheme.state.spec, &own)])
            .filter(|(_, name)| request.cookies.find(name).is_some())
            .map(|(spec, name)| spec.remove(name, request.now))
            .collect()
    }

    fn scheme(&self, https: bool) -> &Scheme {
        &self.schemes[usize::from(https)]
    }

    fn new_state(&self, end: Timestamp, port: Option<LoopbackPort>) -> Result<String, CodecError> {
        let random = random_text()?;
        match (port, &self.state) {
            (Some(port), _) => self.handover.state(random, port, end),
            (None, Some(codec)) => {
                codec.encode(json!({ "random": random, "exp": end.as_secs() }).to_string().as_bytes())
            }
            (None, None) => Ok(random),
        }
    }
}

impl Transaction {
    /// By which it is known whether the state was used.
    pub(crate) fn hash(&self) -> String {
        sha256(&self.state)
    }

    /// Until when it is to be remembered that the state was used: as long again, whatever the clocks do.
    pub(crate) fn forgotten(&self) -> Timestamp {
        Timestamp::from_secs(self.end).plus(LIFETIME)
    }
}

impl Scheme {
    /// The cookie of the sign-in with this state.
    fn name_of(&self, state: &str) -> String {
        format!("{}{}", self.prefix(), &sha256(state)[..12])
    }

    /// How the cookies of sign-ins begin. Where the browser enforces it, no sibling domain can set one.
    fn prefix(&self) -> String {
        let CookieSpec { name, domain, path, secure, .. } = &self.state.spec;
        match name.strip_prefix("__Secure-") {
            Some(rest) if *secure && domain.is_none() && path == "/" => format!("__Host-{rest}."),
            _ => format!("{name}."),
        }
    }

    fn seal(&self, transaction: &Transaction) -> Result<String, CodecError> {
        self.transaction.encode(&serde_json::to_vec(transaction).unwrap_or_default())
    }

    fn open(&self, sealed: &str) -> Option<Transaction> {
        serde_json::from_slice(&self.transaction.decode(sealed).ok()?.claims).ok()
    }

    /// Removes what is over or cannot be opened, and the oldest where there are too many.
    fn make_room(&self, request: &Carrier<'_>) -> Vec<SetCookie> {
        let prefix = self.prefix();
        let mut open: Vec<(i64, String)> = request
            .cookies
            .beginning_with(&prefix)
            .map(|(name, value)| (self.open(&value).map_or(0, |transaction| transaction.end), name))
            .collect();
        open.sort_by_key(|(end, _)| std::cmp::Reverse(*end));
        let is_over = |end: i64| end <= request.now.as_secs();
        let too_many =
            open.iter().enumerate().filter(|(index, (end, _))| *index + 1 >= MAX_OPEN || is_over(*end));
        too_many.map(|(_, (_, name))| self.state.spec.remove(name, request.now)).collect()
    }
}

fn expect_state(sent: &str, answered: &str) -> Result<(), &'static str> {
    match bool::from(sent.as_bytes().ct_eq(answered.as_bytes())) {
        true => Ok(()),
        false => Err("its state is not the one that was sent"),
    }
}

/// As 43 characters: of a code verifier it is the challenge `S256` (RFC 7636 section 4.2).
pub(super) fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// 256 random bits as 43 characters.
fn random_text() -> Result<String, CodecError> {
    random::bytes::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).map_err(|_| CodecError::unavailable())
}
