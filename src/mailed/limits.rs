//! How many mails may be asked for: to one address, and from one source.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{
    clock::Timestamp,
    store::{MAIL_LIMITS, StoreError, StoreErrorKind, Stores, VerificationToken},
};

/// So many in any such time; none at all if the number is 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) count: u32,
    pub(crate) per: Duration,
}

impl Limit {
    pub(crate) const fn new(count: u32, per: Duration) -> Self {
        Self { count, per }
    }

    fn millis(&self) -> i64 {
        i64::try_from(self.per.as_millis()).unwrap_or(i64::MAX).max(1)
    }
}

/// One of the mails that an address may be sent. Time is cut into pieces as long as the limit's; a place is taken in
/// the present piece and in the next one, so that in no time as long as a piece there are more than the limit says.
#[derive(Debug, Default)]
pub(crate) struct Place {
    rows: Vec<VerificationToken>,
}

impl Place {
    /// `None` if all are taken. `whose` is the address, with the provider.
    pub(crate) async fn take(
        stores: &Stores,
        limit: Limit,
        whose: &str,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        if limit.count == 0 {
            return Ok(Some(Self::default()));
        }
        let piece = now.as_millis() / limit.millis();
        for number in 0..limit.count {
            let row = |piece: i64| {
                let token = Sha256::digest(format!("{piece} {number} {whose}"));
                let token: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
                let end = Timestamp::from_millis(piece.saturating_add(1).saturating_mul(limit.millis()));
                VerificationToken::new(MAIL_LIMITS, token, end)
            };
            let rows = vec![row(piece), row(piece + 1)];
            if is_new(stores, &rows[0]).await? && is_new(stores, &rows[1]).await? {
                return Ok(Some(Self { rows }));
            }
        }
        Ok(None)
    }

    /// Gives it back: no mail was sent.
    pub(crate) async fn free(self, stores: &Stores) {
        for row in &self.rows {
            let _ = stores.ask(stores.tokens.use_verification_token(&row.identifier, &row.token)).await;
        }
    }
}

async fn is_new(stores: &Stores, row: &VerificationToken) -> Result<bool, StoreError> {
    match stores.ask(stores.tokens.create_verification_token(row)).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}

/// How many sources are remembered.
const MAX_SOURCES: usize = 10_000;

/// Who has asked how often, in this process.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// For each source, until when what it has asked for fills its share: that grows by a share at each mail, and
    /// passes with the time.
    filled: Mutex<HashMap<IpAddr, i64>>,
    /// Whether a request has come of which no source is known.
    had_unknown: AtomicBool,
}

impl Sources {
    /// Whether this is the first request of which no source is known.
    pub(crate) fn is_first_unknown(&self) -> bool {
        !self.had_unknown.swap(true, Ordering::Relaxed)
    }

    /// Counts one more mail for this source, unless it has had too many.
    pub(crate) fn admit(&self, source: IpAddr, limit: Limit, now: Timestamp) -> bool {
        if limit.count == 0 {
            return true;
        }
        let (source, now) = (network(source), now.as_millis());
        let share = limit.millis() / i64::from(limit.count);
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let until = filled.get(&source).map_or(now, |until| *until.max(&now)) + share;
        if until - now > limit.millis() {
            return false;
        }
        if filled.len() >= MAX_SOURCES && !filled.contains_key(&source) {
            make_room(&mut filled, now);
        }
        filled.insert(source, until);
        true
    }
}

/// Forgets those who may ask for all that they like, and if there are none, the half that has asked least.
fn make_room(filled: &mut HashMap<IpAddr, i64>, now: i64) {
    filled.retain(|_, until| *until > now);
    if filled.len() >= MAX_SOURCES {
        let mut ends: Vec<_> = filled.values().copied().collect();
        let (_, middle, _) = ends.select_nth_unstable(MAX_SOURCES / 2);
        let middle = *middle;
        filled.retain(|_, until| *until > middle);
    }
}

/// An address of IPv4 in one form, and the network that one customer of IPv6 has.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_gets_its_share_and_no_more() {
        let (sources, now) = (Sources::default(), Timestamp::from_secs(1_000_000));
        let limit = Limit::new(4, HOUR);
        let asked = |source: &str, now| (0..20).filter(|_| sources.admit(ip(source), limit, now)).count();
        assert_eq!(asked("203.0.113.7", now), 4);
        assert_eq!(asked("203.0.113.8", now), 4, "another one");
        assert_eq!(asked("203.0.113.7", now.plus(HOUR / 4)), 1, "a share comes back with the time");
        assert_eq!(asked("203.0.113.7", now.plus(HOUR * 3)), 4);
        assert_eq!((0..20).filter(|_| sources.admit(ip("::1"), Limit::new(0, HOUR), now)).count(), 20);
    }

    /// S61: one address in all its forms, and one network of IPv6, are one source.
    #[test]
    fn s61_forms_of_an_address_are_one_source() {
        let (sources, now, limit) =
            (Sources::default(), Timestamp::from_secs(1_000_000), Limit::new(2, HOUR));
        for (forms, admitted) in [
            (["203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107"], 2),
            (["2001:db8::1", "2001:DB8:0:0::2", "2001:db8:0:0:ffff::3"], 2),
            (["2001:db8:1::1", "2001:db8:2::1", "2001:db8:3::1"], 3),
        ] {
            let count = forms.iter().filter(|form| sources.admit(ip(form), limit, now)).count();
            assert_eq!(count, admitted, "{forms:?}");
        }
    }

    /// S61: memory is bounded, and whoever has asked most is remembered.
    #[test]
    fn s61_sources_are_bounded() {
        let (sources, now, limit) =
            (Sources::default(), Timestamp::from_secs(1_000_000), Limit::new(4, HOUR));
        assert_eq!((0..20).filter(|_| sources.admit(ip("192.0.2.1"), limit, now)).count(), 4);
        for number in 0..30_000_u32 {
            assert!(sources.admit(IpAddr::V4((0x0a00_0000 + number).into()), limit, now));
            assert!(sources.filled.lock().unwrap().len() <= MAX_SOURCES);
        }
        assert!(!sources.admit(ip("192.0.2.1"), limit, now));
    }
}
