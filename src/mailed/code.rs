//! Codes to be typed in the browser that asked: eight digits, ten minutes, ten attempts.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{
    clock::Timestamp,
    random::{self, NoRandomness},
    store::{CODE_ATTEMPTS, StoreError, StoreErrorKind, Stores, VerificationToken},
};

/// How long a code is good, unless its link ends earlier.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// How often a code may be guessed; the last wrong guess kills it.
const ATTEMPTS: u32 = 10;
const DIGITS: usize = 8;

/// A code, as it is kept in the sealed cookie of the browser that asked.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    digits: String,
    #[serde(rename = "exp")]
    end: i64,
}

/// What came of a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    Right,
    /// One may try again.
    Wrong,
    /// It is too late, or it was tried too often.
    Dead,
}

impl Code {
    /// A new one, in a mail whose link is good until `end`.
    pub(crate) fn new(end: Timestamp, now: Timestamp) -> Result<Self, NoRandomness> {
        // The first of 2^64 numbers are a hair more likely than the last: by 1 in 10^11.
        let number = u64::from_le_bytes(random::bytes()?) % 10_u64.pow(DIGITS as u32);
        Ok(Self {
            digits: format!("{number:0DIGITS$}"),
            end: end.as_secs().min(now.plus(LIFETIME).as_secs()),
        })
    }

    pub(crate) fn digits(&self) -> &str {
        &self.digits
    }

    /// Whether it may be typed still.
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        self.end > now.as_secs()
    }

    /// Compares once an attempt was taken, so that guesses at once are counted as those one after another are. `link`
    /// is what the store keeps the link beside it as.
    pub(crate) async fn guess(
        &self,
        stores: &Stores,
        link: &str,
        typed: &str,
        now: Timestamp,
    ) -> Result<Guess, StoreError> {
        if !self.is_good(now) {
            return Ok(Guess::Dead);
        }
        let typed: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if typed.len() != DIGITS || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Guess::Wrong); // No guess: it cannot be right.
        }
        let Some(left) = self.take_attempt(stores, link).await? else { return Ok(Guess::Dead) };
        let right: bool = typed.as_bytes().ct_eq(self.digits.as_bytes()).into();
        Ok(match (right, left) {
            (true, _) => Guess::Right,
            (false, 0) => Guess::Dead,
            (false, _) => Guess::Wrong,
        })
    }

    /// Takes one of the attempts and says how many are left; `None` if none was.
    async fn take_attempt(&self, stores: &Stores, link: &str) -> Result<Option<u32>, StoreError> {
        // Remembered longer than the code is good, whatever the clocks of other instances say.
        let end = Timestamp::from_secs(self.end).plus(LIFETIME);
        for attempt in 1..=ATTEMPTS {
            let row = VerificationToken::new(CODE_ATTEMPTS, format!("{link}.{attempt}"), end);
            match stores.ask(stores.tokens.create_verification_token(&row)).await {
                Ok(()) => return Ok(Some(ATTEMPTS - attempt)),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// S58: eight digits, and no longer than ten minutes or its link.
    #[test]
    fn s58_codes_are_random_and_short_lived() {
        let now = Timestamp::from_secs(1_000_000);
        let codes: Vec<_> = (0..1000).map(|_| Code::new(now.plus(LIFETIME * 9), now).unwrap()).collect();
        assert!(codes.iter().all(|code| code.digits.len() == 8 && code.digits.parse::<u32>().is_ok()));
        assert!(codes.iter().map(Code::digits).collect::<HashSet<_>>().len() > 990);
        assert!(codes.iter().any(|code| code.digits.starts_with('0')), "all numbers are codes");
        let minute = Duration::from_secs(60);
        for (link, good) in [(minute * 60, minute * 10), (minute * 3, minute * 3)] {
            let code = Code::new(now.plus(link), now).unwrap();
            assert!(code.is_good(now.plus(good - Duration::from_secs(1))) && !code.is_good(now.plus(good)));
        }
    }
}
