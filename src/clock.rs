//! Time: the one place that reads the clock.
//!
//! Everything below this module is given a [`Timestamp`]; nothing else asks the system what time it is.
//! An application that wants to control time (tests, simulations) gives the builder its own [`Clock`].

use std::{
    fmt,
    future::{self, Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{
    OffsetDateTime,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

/// Where the time comes from, and how to wait for it to pass.
///
/// The layer asks [`now`](Clock::now) once a request. [`sleep`](Clock::sleep) bounds the callbacks of the
/// application, so that one that never ends cannot hold a request for ever.
///
/// ```
/// use std::{future::Future, pin::Pin, time::{Duration, SystemTime}};
/// use portcullis::Clock;
///
/// /// Stands still.
/// #[derive(Debug)]
/// struct Stopped(SystemTime);
///
/// impl Clock for Stopped {
///     fn now(&self) -> SystemTime {
///         self.0
///     }
///     fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
///         Box::pin(std::future::pending())
///     }
/// }
/// # let _: Box<dyn Clock> = Box::new(Stopped(SystemTime::UNIX_EPOCH));
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present time.
    fn now(&self) -> SystemTime;

    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The system's clock; waits with Tokio's timer.
///
/// Outside a Tokio runtime its [`sleep`](Clock::sleep) never ends, which means that callbacks have no
/// time limit there.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one reader of the system's clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match tokio::runtime::Handle::try_current() {
            Ok(_) => Box::pin(tokio::time::sleep(duration)),
            Err(_) => Box::pin(future::pending()),
        }
    }
}

/// What `future` gives, or `None` if it takes longer than `limit`.
pub(crate) async fn within<F: Future>(clock: &dyn Clock, limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut timer = None;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            // Most futures are ready at once and never see a timer.
            let timer = timer.get_or_insert_with(|| clock.sleep(limit));
            timer.as_mut().poll(cx).map(|()| None)
        }
    })
    .await
}

/// A point in time in milliseconds since 1970, which is what JavaScript's `Date` counts.
///
/// Prints and serialises as `Date.prototype.toISOString` does: UTC, three digits of a second, `Z`. Reads that, and
/// any other time of RFC 3339.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use portcullis::Timestamp;
///
/// let at = Timestamp::from(UNIX_EPOCH + Duration::from_millis(1_768_478_400_120));
/// assert_eq!(at.to_string(), "2026-01-15T12:00:00.120Z");
/// assert_eq!(at.as_secs(), 1_768_478_400);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    millis: i64,
}

/// The last second of the year 9999, beyond which neither cookies nor ISO dates go.
const LATEST_SECOND: i64 = 253_402_300_799;

impl Timestamp {
    /// From seconds since 1970, held within the years 1970 to 9999.
    pub fn from_secs(seconds: i64) -> Self {
        Self { millis: seconds.clamp(0, LATEST_SECOND) * 1000 }
    }

    /// From milliseconds since 1970, held within the years 1970 to 9999.
    pub fn from_millis(millis: i64) -> Self {
        Self { millis: millis.clamp(0, LATEST_SECOND * 1000) }
    }

    /// Whole seconds since 1970, rounded down.
    pub fn as_secs(self) -> i64 {
        self.millis.div_euclid(1000)
    }

    /// Milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.millis
    }

    /// This time and `duration` more; at most the end of the year 9999.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.millis.saturating_add(millis))
    }

    /// This time and `duration` less; at least the beginning of 1970.
    pub(crate) fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.millis.saturating_sub(millis))
    }

    /// How long after `earlier` this is; nothing if it is before.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.millis - earlier.millis).unwrap_or_default())
    }

    pub(crate) fn to_offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.as_secs())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .saturating_add(time::Duration::milliseconds(self.millis.rem_euclid(1000)))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(timestamp.millis.unsigned_abs())
    }
}

const ISO: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_offset().format(&ISO).map_err(|_| fmt::Error)?)
    }
}

/// As it is written: a number of milliseconds tells nobody anything.
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From the text of a `Date` in JSON, in any offset (RFC 3339).
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = OffsetDateTime::parse(&text, &Rfc3339);
        // Not the text itself: errors are logged.
        let time =
            parsed.map_err(|_| de::Error::custom("a time such as 2026-01-15T12:00:00.000Z is expected"))?;
        let millis = time.unix_timestamp_nanos() / 1_000_000;
        Ok(Self::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_javascript_does() {
        for (millis, iso) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_771_070_400_000, "2026-02-14T12:00:00.000Z"),
            (1_771_070_400_007, "2026-02-14T12:00:00.007Z"),
            (i64::MAX, "9999-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), iso);
        }
    }

    #[test]
    fn reads_what_it_prints() {
        for (text, millis) in [
            (r#""2026-02-14T12:00:00.007Z""#, Some(1_771_070_400_007)),
            (r#""2026-02-14T12:00:00Z""#, Some(1_771_070_400_000)),
            (r#""2026-02-14T13:00:00+01:00""#, Some(1_771_070_400_000)),
            (r#""1969-12-31T23:59:59.000Z""#, Some(0)),
            (r#""yesterday""#, None),
            ("1771070400", None),
        ] {
            let read = serde_json::from_str::<Timestamp>(text).ok();
            assert_eq!(read.map(Timestamp::as_millis), millis, "{text}");
        }
    }

    #[test]
    fn never_leaves_its_range() {
        assert_eq!(Timestamp::from_secs(-5).as_secs(), 0);
        assert_eq!(Timestamp::from_secs(i64::MAX).plus(Duration::MAX).as_secs(), LATEST_SECOND);
    }
}
