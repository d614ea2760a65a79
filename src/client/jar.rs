//! The cookies of a client.

mod held;
mod storage;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, broadcast};
use url::Url;

pub(super) use self::held::{Answering, Taken, Turn};
pub use self::storage::JarStorage;
use self::{
    held::{Held, received},
    storage::{Followed, Kept, lock, parse},
};
use super::ClientError;
use crate::clock::Timestamp;

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

struct Shared {
    held: Mutex<Held>,
    kept: Option<Kept>,
    /// One at a time: each begins with what the last one has made of the session.
    updating: AsyncMutex<()>,
    announcements: broadcast::Sender<Announcement>,
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

impl CookieJar {
    /// An empty jar that ends with the program.
    pub fn new() -> Self {
        Self::with(Held::default(), None)
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
        Ok(Self::with(held, Some(Kept::new(Box::new(storage), saved))))
    }

    fn with(held: Held, kept: Option<Kept>) -> Self {
        Self(Arc::new(Shared {
            held: Mutex::new(held),
            kept,
            updating: AsyncMutex::default(),
            announcements: broadcast::Sender::new(MAX_WAITING),
        }))
    }

    /// The value of a cookie that would be sent to `url`, for programs that talk to the server in other ways than
    /// [`Client::fetch`](super::Client::fetch). One that has ended since the last response is there still: a jar has no
    /// clock.
    pub async fn get(&self, url: &str, name: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        self.follow().await;
        let held = self.held();
        let cookie = held.sent_to(&url).into_iter().find(|cookie| cookie.name() == name)?;
        Some(cookie.value().to_owned())
    }

    /// Forgets everything, as nobody's sign-out does: the server's sessions go on.
    pub async fn clear(&self) {
        let forget = |held: &mut Held| {
            held.cookies.clear();
            held.turn = held.turn.next();
            Taken::Changed
        };
        self.change(forget).await;
        self.announce_sign_out(None, None);
    }

    /// The `Cookie` header of a request (RFC 6265 section 5.4), and the turn in which it is sent.
    pub(super) async fn header(&self, url: &Url, now: Timestamp) -> (Option<HeaderValue>, Turn) {
        self.follow().await;
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
    pub(super) async fn take(
        &self,
        url: &Url,
        headers: &HeaderMap,
        answering: Answering,
        now: Timestamp,
    ) -> Taken {
        let cookies = headers.get_all(SET_COOKIE).iter();
        let cookies = cookies.filter_map(|header| received(header.to_str().ok()?, url, now));
        let cookies: Vec<_> = cookies.collect();
        if cookies.is_empty() {
            return Taken::Same;
        }
        self.change(move |held| held.take(cookies, answering, now)).await
    }

    /// Whether it has a cookie for `url` whose name ends so, and whose value begins so.
    pub(super) fn has(&self, url: &Url, ending: &str, beginning: &str) -> bool {
        self.held().named(url, ending).any(|cookie| cookie.value().starts_with(beginning))
    }

    /// Whether it has cookies for `url` whose names end so, none of which has a value that begins so.
    pub(super) fn has_another(&self, url: &Url, ending: &str, beginning: &str) -> bool {
        let held = self.held();
        let mut cookies = held.named(url, ending).peekable();
        cookies.peek().is_some() && !cookies.any(|cookie| cookie.value().starts_with(beginning))
    }

    /// The turn, as far as is known without asking the storage.
    pub(super) fn turn(&self) -> Turn {
        self.held().turn
    }

    /// Nobody else of this program updates the session while this is held.
    pub(super) async fn updating(&self) -> AsyncMutexGuard<'_, ()> {
        self.0.updating.lock().await
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

    pub(super) fn announcements(&self) -> broadcast::Receiver<Announcement> {
        self.0.announcements.subscribe()
    }

    /// Learns what other programs have done, and saves what could not be saved before.
    async fn follow(&self) {
        let Some(kept) = &self.0.kept else { return };
        let followed = kept.follow(&self.0.held).await;
        self.tell(&followed);
        if followed.is_behind {
            self.change(|_| Taken::Same).await;
        }
    }

    async fn change(&self, change: impl FnOnce(&mut Held) -> Taken + Send + 'static) -> Taken {
        if self.0.kept.is_none() {
            return change(&mut self.held());
        }
        let jar = self.clone();
        // By itself, so that it is done as a whole, be it that whoever waits for it gives up.
        let changing = tokio::spawn(async move {
            let kept = jar.0.kept.as_ref()?;
            let (taken, followed) = kept.change(&jar.0.held, change).await;
            jar.tell(&followed);
            Some(taken)
        });
        changing.await.ok().flatten().unwrap_or(Taken::Left)
    }

    fn tell(&self, followed: &Followed) {
        if followed.moved {
            self.announce(None);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.0.held)
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

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{held::MAX_COOKIES, *};

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
