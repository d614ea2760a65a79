//! How long sessions live. Pure functions: time is an argument.

use std::time::Duration;

use crate::{
    clock::Timestamp, dialect::Rules, error::ConfigError, session::Registered, store::StoredSession,
};

/// How long a session lives and when it is renewed.
///
/// ```
/// use std::time::Duration;
/// use portcullis::Lifetime;
///
/// let hour = Duration::from_secs(3600);
/// let lifetime = Lifetime::new(8 * hour, hour)?.absolute(24 * hour)?;
/// assert!(Lifetime::new(Duration::ZERO, Duration::ZERO).is_err());
/// # let _ = lifetime;
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    pub(crate) max_age: Duration,
    pub(crate) update_age: Duration,
    pub(crate) absolute: Option<Duration>,
}

impl Lifetime {
    /// A session ends `max_age` after it was last renewed; a read renews it once `update_age` has passed.
    /// `GET /session` renews at each read, as the wire asks.
    ///
    /// # Errors
    ///
    /// When `max_age` is less than a second, or shorter than `update_age`.
    pub fn new(max_age: Duration, update_age: Duration) -> Result<Self, ConfigError> {
        if max_age < Duration::from_secs(1) {
            return Err(ConfigError::one(
                "max_age is less than a second",
                "say how long a session lives without a visit",
            ));
        }
        if update_age > max_age {
            return Err(ConfigError::one(
                "update_age is longer than max_age, so sessions would end before they are renewed",
                "make it a fraction of max_age, such as a tenth",
            ));
        }
        Ok(Self { max_age, update_age, absolute: None })
    }

    /// A limit counted from the sign-in, which no renewal moves.
    ///
    /// A session that another server began without saying when is counted from its first renewal here.
    ///
    /// # Errors
    ///
    /// When it is less than a second.
    pub fn absolute(mut self, limit: Duration) -> Result<Self, ConfigError> {
        if limit < Duration::from_secs(1) {
            return Err(ConfigError::one(
                "the absolute limit is less than a second",
                "leave it out or make it longer",
            ));
        }
        self.absolute = Some(limit);
        Ok(self)
    }

    /// When a session ends that is renewed at `now` and has `begun` then.
    pub(crate) fn expiry(&self, now: Timestamp, begun: Timestamp) -> Timestamp {
        let sliding = now.plus(self.max_age);
        self.absolute.map_or(sliding, |limit| sliding.min(begun.plus(limit)))
    }

    /// Whether a token is old enough for a new one.
    pub(crate) fn is_due(&self, token: &Registered, now: Timestamp) -> bool {
        token.issued.is_none_or(|issued| issued.plus(self.update_age) <= now)
    }
}

/// 30 days, renewed once a day, without an absolute limit: the defaults of Auth.js.
impl Default for Lifetime {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self { max_age: 30 * day, update_age: day, absolute: None }
    }
}

/// Whether a token's times let it count at `now`, as the npm package of the dialect judges them
/// (`docs/protocol.md` section 4).
pub(crate) fn is_current(token: &Registered, rules: &Rules, max_age: Duration, now: Timestamp) -> bool {
    let now = now.as_secs();
    let secs = |time: Option<Timestamp>| time.map(|time| time.as_millis().div_ceil_secs());
    let expired = secs(token.expires).is_some_and(|expires| expires <= now - rules.leeway);
    let early = secs(token.not_before).is_some_and(|start| start > now + rules.leeway);
    let issue_time = !rules.bounds_issue_time
        || secs(token.issued).is_some_and(|issued| {
            issued <= now && now - issued <= i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX)
        });
    !expired && !early && issue_time
}

/// What a session token needs beyond that: an end, a subject, a beginning that is not in the future, and,
/// with an absolute limit, a sign-in that is recent enough.
pub(crate) fn is_session(token: &Registered, rules: &Rules, lifetime: &Lifetime, now: Timestamp) -> bool {
    let leeway = Duration::from_secs(rules.leeway.unsigned_abs());
    let begun = token.begun();
    token.has_subject
        && token.expires.is_some()
        && token.issued.is_none_or(|issued| issued <= now.plus(leeway))
        && lifetime.absolute.is_none_or(|limit| begun.is_some_and(|begun| begun.plus(limit) > now))
        && is_current(token, rules, lifetime.max_age, now)
}

/// How far the clocks of those who make rows may be apart.
const ROW_LEEWAY: Duration = Duration::from_secs(60);

/// Whether a row counts at `now` (`docs/protocol.md` section 10.2). With an absolute limit it has to say when it
/// began, and that cannot be later than now.
pub(crate) fn is_live_row(row: &StoredSession, lifetime: &Lifetime, now: Timestamp) -> bool {
    let within =
        |limit| row.created.is_some_and(|begun| begun <= now.plus(ROW_LEEWAY) && begun.plus(limit) > now);
    row.expires > now && lifetime.absolute.is_none_or(within)
}

/// The new end of a row that a read at `now` should extend; none if it is not due, or can go no further.
pub(crate) fn extension(row: &StoredSession, lifetime: &Lifetime, now: Timestamp) -> Option<Timestamp> {
    let end = lifetime.expiry(now, row.created.unwrap_or(now));
    // The end of a session that was extended `update_age` ago, unless it is cut off by the absolute limit.
    let fresh_end = now.plus(lifetime.max_age - lifetime.update_age);
    (row.expires <= fresh_end && end > row.expires).then_some(end)
}

trait DivCeilSecs {
    fn div_ceil_secs(self) -> i64;
}

impl DivCeilSecs for i64 {
    /// Milliseconds to seconds, rounded up, so that half a second past `exp` is not yet past it.
    fn div_ceil_secs(self) -> i64 {
        self.div_euclid(1000) + i64::from(self.rem_euclid(1000) > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    const HOUR: Duration = Duration::from_secs(3600);

    /// S19: sliding never passes the absolute end.
    #[test]
    fn s19_renewal_stops_at_the_absolute_limit() {
        let lifetime = Lifetime::new(2 * HOUR, HOUR).unwrap().absolute(5 * HOUR).unwrap();
        let begun = Timestamp::from_secs(1_000_000);
        for (hours, left) in [(0, 2), (1, 2), (3, 2), (4, 1)] {
            let now = begun.plus(hours * HOUR);
            assert_eq!(lifetime.expiry(now, begun), now.plus(left * HOUR), "{hours}");
        }
        let at = |hours: u32| Registered {
            has_subject: true,
            expires: Some(begun.plus(100 * HOUR)),
            issued: Some(begun.plus(hours * HOUR)),
            auth_time: Some(begun),
            ..Registered::default()
        };
        let rules = Dialect::V4.rules();
        assert!(is_session(&at(4), rules, &lifetime, begun.plus(5 * HOUR - Duration::from_secs(1))));
        assert!(!is_session(&at(4), rules, &lifetime, begun.plus(5 * HOUR)));
    }

    #[test]
    fn due_after_update_age() {
        let lifetime = Lifetime::new(30 * HOUR, 24 * HOUR).unwrap();
        let begun = Timestamp::from_secs(1_000_000);
        let token = Registered { issued: Some(begun), ..Registered::default() };
        assert!(!lifetime.is_due(&token, begun.plus(23 * HOUR)));
        assert!(lifetime.is_due(&token, begun.plus(24 * HOUR)));
        assert!(lifetime.is_due(&Registered::default(), begun));
    }

    #[test]
    fn refuses_nonsense() {
        assert!(Lifetime::new(HOUR, 2 * HOUR).is_err());
        assert!(Lifetime::new(Duration::from_millis(999), Duration::ZERO).is_err());
        assert!(Lifetime::default().absolute(Duration::ZERO).is_err());
    }
}
