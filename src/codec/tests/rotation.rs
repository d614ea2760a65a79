//! Lists of secrets, and the randomness of seals.

use std::collections::HashSet;

use super::{CLAIMS, SECRET, codecs};
use crate::{codec::Codec, secret::Secret};

const NEW: &str = "Wq2Zr8Ls4Xc6Vb1Nm9Kj3Hg5Fd7Sa0Po";

/// S15: the old secret; the new one first; the new one alone.
#[test]
fn s15_rotation_in_three_steps() {
    let before = codecs(&Secret::new(SECRET));
    let during = codecs(&Secret::new(NEW).or_previous(SECRET));
    let after = codecs(&Secret::new(NEW));
    for ((before, during), after) in before.iter().zip(&during).zip(&after) {
        let old = before.encode(CLAIMS).unwrap();
        let new = during.encode(CLAIMS).unwrap();
        for (reader, token, outdated) in [
            (before, &old, Some(false)),
            (before, &new, None),
            (during, &old, Some(true)),
            (during, &new, Some(false)),
            (after, &new, Some(false)),
            (after, &old, None),
        ] {
            let opened = reader.decode(token).ok();
            assert!(opened.as_ref().is_none_or(|opened| opened.claims == CLAIMS));
            assert_eq!(opened.map(|opened| opened.outdated_key), outdated, "{reader:?}");
        }
    }
}

/// S15: the place in the list is all that makes a key outdated.
#[test]
fn s15_the_third_secret_is_still_read() {
    let old = codecs(&Secret::new(SECRET));
    let list =
        codecs(&Secret::new(NEW).or_previous("another one that was used in between").or_previous(SECRET));
    for (old, list) in old.iter().zip(&list) {
        let opened = list.decode(&old.encode(CLAIMS).unwrap()).unwrap();
        assert_eq!((&*opened.claims, opened.outdated_key), (CLAIMS, true), "{old:?}");
    }
}

/// S16: no IV twice, within a codec and across codecs of the same secret.
#[test]
fn s16_no_iv_repeats() {
    let [_, gcm, cbc] = codecs(&Secret::new(SECRET));
    let [_, second_gcm, second_cbc] = codecs(&Secret::new(SECRET));
    for pair in [[gcm, second_gcm], [cbc, second_cbc]] {
        let mut seen = HashSet::new();
        for _ in 0..4096 {
            for codec in &pair {
                assert!(seen.insert(iv(&**codec)), "{codec:?} used an IV twice");
            }
        }
    }
}

fn iv(codec: &dyn Codec) -> String {
    let token = codec.encode(CLAIMS).unwrap();
    token.split('.').nth(2).unwrap().to_owned()
}
