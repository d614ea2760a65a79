//! The cookies of a client.

use std::{
    cmp::Reverse,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use cookie::Cookie as SetCookie;
use cookie_store::Cookie;
use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, broadcast};
use url::Url;

use super::ClientError;
use crate::{clock::Timestamp, error::BoxError};

/// How many cookies a jar keeps; the oldest make room.
const MAX_COOKIES: usize = 200;
/// The longest name and value, together, and the longest of what follows them, in bytes (RFC 6265bis section 5.6).
const MAX_PAIR: usize = 4096;
const MAX_ATTRIBUTE: usize = 1024;
/// How many announcements wait for a provider that is busy; of more it is told that there were some.
const MAX_WAITING: usize = 16;

/// The cookies of one or more [`Client`](super::Client)s, kept and sent as RFC 6265 says. Clones are the same jar.
///
/// Clients over one jar are one visitor: who signs in with one is signed in with all, and each
/// [`SessionProvider`](super::SessionProvider) over it learns what the others do, as the tabs of a browser do.
///
/// A jar knows no list of public suffixes: let servers that do not trust each other have jars of their own.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis::client::{Client, CookieJar, JarFile};
///
/// let jar = CookieJar::open(JarFile::new("session.json")).await?;
/// let client = Client::builder("https://app.example").jar(jar).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CookieJar(Arc<Shared>);

/// Where a [`CookieJar`] is kept between two runs of a program. Only cookies that have an end are kept.
#[async_trait]
pub trait JarStorage: Send + Sync + 'static {
    /// What was saved last; `None` if nothing ever was.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    async fn load(&self) -> Result<Option<String>, BoxError>;

    /// Replaces what was saved. `cookies` lets whoever has it act as the user: it is for nobody else to read.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    async fn save(&self, cookies: &str) -> Result<(), BoxError>;

    /// Whether other programs may save here, too, while this one runs. A jar then loads before each request and each
    /// change, so that all of them are one visitor. No unless said: loading may be slow, or ask the user.
    fn is_shared(&self) -> bool {
        false
    }
}

struct Shared {
    held: Mutex<Held>,
    storage: Option<Box<dyn JarStorage>>,
    /// What was last saved or loaded. Locked while anything changes, so that the last one has the last word.
    saved: AsyncMutex<Option<String>>,
    announcements: broadcast::Sender<Announcement>,
}

/// What a storage is given.
#[derive(Serialize, Deserialize)]
struct Saved<C> {
    turn: Turn,
    cookies: Vec<C>,
}

#[derive(Default)]
struct Held {
    cookies: Vec<Cookie<'static>>,
    turn: Turn,
}

/// How often somebody has signed in or out, or has changed the session, with this jar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Turn(u64);

impl Turn {
    fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Who says that the session may be another one now: a provider, by its number, or a client.
pub(super) type Announcer = Option<u64>;

/// What providers over a jar are told.
#[derive(Debug, Clone)]
pub(super) struct Announcement {
    pub(super) by: Announcer,
    pub(super) sign_out: Option<SignedOut>,
}

/// Nobody is signed in at this server, or at any if none is named, in this turn.
#[derive(Debug, Clone)]
pub(super) struct SignedOut {
    pub(super) base: Option<Url>,
    pub(super) turn: Turn,
}

/// What a response answers, of which its cookies are judged.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answering {
    /// A request that changes who is signed in.
    Change,
    /// One that changes the session, sent in this turn.
    Update(Turn),
    /// Any other, sent in this turn.
    Read(Turn),
}

impl CookieJar {
    /// An empty jar that ends with the program.
    pub fn new() -> Self {
        Self::with(Held::default(), None, None)
    }

    /// The jar that was saved, and will be again whenever it changes. A jar that cannot be saved goes on in memory,
    /// and the log says so.
    ///
    /// # Errors
    ///
    /// [`Storage`](super::ClientErrorKind::Storage), when it cannot be read, or is not what was saved.
    pub async fn open(storage: impl JarStorage) -> Result<Self, ClientError> {
        let refused = |error| ClientError::storage("the cookies cannot be read", error);
        let saved = storage.load().await.map_err(refused)?;
        let mut held = Held::default();
        if let Some(text) = &saved {
            held.become_saved(parse(text).map_err(refused)?);
        }
        Ok(Self::with(held, Some(Box::new(storage)), saved))
    }

    fn with(held: Held, storage: Option<Box<dyn JarStorage>>, saved: Option<String>) -> Self {
        Self(Arc::new(Shared {
            held: Mutex::new(held),
            storage,
            saved: AsyncMutex::new(saved),
            announcements: broadcast::Sender::new(MAX_WAITING),
        }))
    }

    /// The value of a cookie that would be sent to `url`, for programs that talk to the server in other ways than
    /// [`Client::fetch`](super::Client::fetch). One that has ended since the last response is there still: a jar has no
    /// clock.
    pub fn get(&self, url: &str, name: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let held = self.held();
        let cookie = held.sent_to(&url).into_iter().find(|cookie| cookie.name() == name)?;
        Some(cookie.value().to_owned())
    }

    /// Forgets everything, as nobody's sign-out does: the server's sessions go on.
    pub async fn clear(&self) {
        let mut saved = self.followed().await;
        {
            let mut held = self.held();
            held.cookies.clear();
            held.turn = held.turn.next();
        }
        self.save(&mut saved).await;
        self.announce_sign_out(None, None);
    }

    /// The `Cookie` header of a request (RFC 6265 section 5.4), and the turn in which it is sent.
    pub(super) async fn header(&self, url: &Url, now: Timestamp) -> (Option<HeaderValue>, Turn) {
        drop(self.followed().await);
        let held = self.held();
        let now = now.to_offset();
        let sent = held.sent_to(url).into_iter().filter(|cookie| !cookie.expires_by(&now));
        let pairs: Vec<_> = sent.map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        let header = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|_| !pairs.is_empty());
        let header = header.map(|mut header| {
            header.set_sensitive(true);
            header
        });
        (header, held.turn)
    }

    /// Takes the cookies of a response (RFC 6265 section 5.3).
    ///
    /// Those of a read that was sent before somebody signed in or out are left: they renew a session that is over. So
    /// are those of a read that was sent before the session was changed: they renew it as it was.
    pub(super) async fn take(&self, url: &Url, headers: &HeaderMap, answering: Answering, now: Timestamp) {
        let cookies = headers.get_all(SET_COOKIE).iter();
        let cookies = cookies.filter_map(|header| received(header.to_str().ok()?, url, now)).collect();
        let mut saved = self.followed().await;
        let changed = self.held().take(cookies, answering, now);
        if changed {
            self.save(&mut saved).await;
        }
    }

    /// Whether it has a cookie for `url` whose name ends so.
    pub(super) fn has(&self, url: &Url, ending: &str) -> bool {
        self.held().named(url, ending).next().is_some()
    }

    /// Whether it has cookies for `url` whose names end so, none of which has a value that begins so.
    pub(super) fn has_another(&self, url: &Url, ending: &str, beginning: &str) -> bool {
        let held = self.held();
        let mut cookies = held.named(url, ending).peekable();
        cookies.peek().is_some() && !cookies.any(|cookie| cookie.value().starts_with(beginning))
    }

    /// Tells all providers over this jar, but the one that says so, that the session may be another one now.
    pub(super) fn announce(&self, by: Announcer) {
        self.send(Announcement { by, sign_out: None });
    }

    /// Likewise, that the session at this server is over; without one, all of them. Answers in which turn.
    pub(super) fn announce_sign_out(&self, by: Announcer, base: Option<&Url>) -> Turn {
        let turn = self.turn();
        self.send(Announcement { by, sign_out: Some(SignedOut { base: base.cloned(), turn }) });
        turn
    }

    fn send(&self, announcement: Announcement) {
        let _ = self.0.announcements.send(announcement); // Perhaps nobody listens.
    }

    /// In which turn it is.
    pub(super) fn turn(&self) -> Turn {
        self.held().turn
    }

    pub(super) fn announcements(&self) -> broadcast::Receiver<Announcement> {
        self.0.announcements.subscribe()
    }

    /// With what another program has saved since, and nobody else's turn to change anything while this is held.
    async fn followed(&self) -> AsyncMutexGuard<'_, Option<String>> {
        let mut saved = self.0.saved.lock().await;
        let shared = self.0.storage.as_ref().filter(|storage| storage.is_shared());
        let Some(storage) = shared else { return saved };
        let now = match storage.load().await {
            Ok(now) if now == *saved => return saved,
            Ok(Some(text)) => parse(&text).map(|cookies| (Some(text), cookies)),
            Ok(None) => Ok((None, Saved { turn: self.held().turn.next(), cookies: Vec::new() })),
            Err(error) => Err(error),
        };
        match now {
            Ok((text, cookies)) => {
                *saved = text;
                if self.held().become_saved(cookies) {
                    self.announce(None);
                }
            }
            Err(error) => {
                tracing::warn!("what other programs did with the cookies is not known: {error}");
            }
        }
        saved
    }

    async fn save(&self, saved: &mut Option<String>) {
        let Some(storage) = &self.0.storage else { return };
        let text = self.held().to_saved();
        let done = match &text {
            Ok(text) => storage.save(text).await,
            Err(error) => Err(error.to_string().into()),
        };
        match done {
            Ok(()) => *saved = text.ok(),
            Err(error) => {
                tracing::error!(
                    "the cookies could not be saved, and are lost when this program ends: {error}"
                );
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for CookieJar {
    fn default() -> Self {
        Self::new()
    }
}

/// How many there are: names and values let others act as the user.
impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieJar").field("cookies", &self.held().cookies.len()).finish_non_exhaustive()
    }
}

impl Held {
    fn named<'h>(&'h self, url: &'h Url, ending: &'h str) -> impl Iterator<Item = &'h Cookie<'static>> {
        self.cookies.iter().filter(move |cookie| cookie.name().ends_with(ending) && cookie.matches(url))
    }

    /// What lasts, for the storage.
    fn to_saved(&self) -> serde_json::Result<String> {
        let cookies = self.cookies.iter().filter(|cookie| cookie.is_persistent()).collect();
        serde_json::to_string(&Saved { turn: self.turn, cookies })
    }

    /// Has what is saved in place of what lasts. Whether the session may be another one now.
    fn become_saved(&mut self, saved: Saved<Cookie<'static>>) -> bool {
        let stays = |cookie: &Cookie<'_>| saved.cookies.iter().any(|other| is_same(cookie, other));
        self.cookies.retain(|cookie| !cookie.is_persistent() || stays(cookie));
        for cookie in saved.cookies {
            self.put(cookie);
        }
        mem::replace(&mut self.turn, saved.turn) != saved.turn
    }

    /// Whether anything is other than it was.
    fn take(&mut self, cookies: Vec<Cookie<'static>>, answering: Answering, now: Timestamp) -> bool {
        let (before, now) = (self.turn, now.to_offset());
        match answering {
            Answering::Update(turn) | Answering::Read(turn) if turn != before => return false,
            Answering::Change | Answering::Update(_) => self.turn = before.next(),
            Answering::Read(_) => {}
        }
        let mut changed = self.turn != before;
        for cookie in cookies {
            changed |= if cookie.expires_by(&now) { self.remove(&cookie) } else { self.put(cookie) };
        }
        let count = self.cookies.len();
        self.cookies.retain(|cookie| !cookie.expires_by(&now));
        let too_many = self.cookies.len().saturating_sub(MAX_COOKIES);
        self.cookies.drain(..too_many);
        changed || self.cookies.len() != count
    }

    /// In the order in which they are sent: the longest path first, of the same length the oldest.
    fn sent_to(&self, url: &Url) -> Vec<&Cookie<'static>> {
        let mut sent: Vec<_> = self.cookies.iter().filter(|cookie| cookie.matches(url)).collect();
        sent.sort_by_key(|cookie| Reverse(cookie.path.len()));
        sent
    }

    /// In the place of the one that it replaces: that decides the order in which they are sent. Whether it is another one.
    fn put(&mut self, cookie: Cookie<'static>) -> bool {
        match self.cookies.iter_mut().find(|known| is_same(known, &cookie)) {
            Some(known) => mem::replace(known, cookie) != *known,
            None => {
                self.cookies.push(cookie);
                true
            }
        }
    }

    /// Whether there was one.
    fn remove(&mut self, cookie: &Cookie<'_>) -> bool {
        let count = self.cookies.len();
        self.cookies.retain(|known| !is_same(known, cookie));
        self.cookies.len() != count
    }
}

/// Whether one takes the other's place (RFC 6265 section 5.3, step 11).
fn is_same(one: &Cookie<'_>, other: &Cookie<'_>) -> bool {
    one.name() == other.name() && one.domain == other.domain && one.path == other.path
}

/// The error's own text is left out: it may quote a cookie.
fn parse(saved: &str) -> Result<Saved<Cookie<'static>>, BoxError> {
    serde_json::from_str(saved).map_err(|_| "they are not what a jar saves: remove them".into())
}

/// A `Set-Cookie` header as it counts here: with its end by the clock that is in use.
fn received(header: &str, url: &Url, now: Timestamp) -> Option<Cookie<'static>> {
    let mut cookie = SetCookie::parse(header.to_owned()).ok().filter(is_short)?;
    if let Some(age) = cookie.max_age() {
        cookie.set_expires(now.to_offset().checked_add(age).unwrap_or(latest()));
        cookie.set_max_age(None);
    }
    let received = Cookie::try_from_raw_cookie(&cookie, url).ok()?;
    keeps_its_promise(&cookie).then_some(received)
}

fn is_short(cookie: &SetCookie<'_>) -> bool {
    let attributes = [cookie.path(), cookie.domain()];
    cookie.name().len() + cookie.value().len() <= MAX_PAIR
        && attributes.into_iter().flatten().all(|value| value.len() <= MAX_ATTRIBUTE)
}

/// What a name that begins so promises (RFC 6265bis section 4.1.3).
fn keeps_its_promise(cookie: &SetCookie<'_>) -> bool {
    let begins = |prefix: &str| {
        cookie.name().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let secure = cookie.secure().unwrap_or(false);
    let host_only = cookie.domain().is_none() && cookie.path() == Some("/");
    (!begins("__Secure-") || secure) && (!begins("__Host-") || secure && host_only)
}

fn latest() -> OffsetDateTime {
    Timestamp::from_millis(i64::MAX).to_offset()
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    const NOW: i64 = 1_768_478_400;

    async fn taking(cookies: &[String]) -> CookieJar {
        let (jar, url) = (CookieJar::new(), Url::parse("https://app.example/api/auth/session").unwrap());
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        jar.take(&url, &headers, Answering::Change, Timestamp::from_secs(NOW)).await;
        jar
    }

    /// RFC 6265bis section 5.6: what a server may leave here has an end.
    #[tokio::test]
    async fn cookies_that_are_too_long_are_none() {
        let name_and_value = |length: usize| format!("name={}", "v".repeat(length - 4));
        for (cookie, taken) in [
            (name_and_value(4096), true),
            (format!("{}; Path=/; Secure; HttpOnly", name_and_value(4096)), true),
            (name_and_value(4097), false),
            (format!("{}=v", "n".repeat(4096)), false),
            (format!("name=v; Path=/{}", "p".repeat(1023)), true),
            (format!("name=v; Path=/{}", "p".repeat(1024)), false),
            (format!("name=v; Domain={}", "d".repeat(1025)), false),
            ("name=v; Unknown=".to_owned() + &"u".repeat(5000), true),
        ] {
            assert_eq!(
                taking(std::slice::from_ref(&cookie)).await.held().cookies.len(),
                usize::from(taken),
                "{}",
                cookie.len()
            );
        }
    }

    #[tokio::test]
    async fn a_jar_is_bounded() {
        let many: Vec<_> = (0..1000).map(|number| format!("n{number}=v; Path=/")).collect();
        let jar = taking(&many).await;
        assert_eq!(jar.held().cookies.len(), MAX_COOKIES);
    }
}
