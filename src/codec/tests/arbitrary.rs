//! Texts that nobody thought of: none panics, none opens.

use proptest::prelude::*;

use super::{
    SECRET, codecs,
    hostile::{Format, V3, formats},
};
use crate::{codec::compact::encode, secret::Secret};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_is_a_token(text in "\\PC{0,400}", parts in prop::collection::vec("[A-Za-z0-9_=-]{0,40}", 0..7)) {
        for codec in codecs(&Secret::new(SECRET)) {
            prop_assert!(codec.decode(&text).is_err());
            prop_assert!(codec.decode(&parts.join(".")).is_err());
        }
    }

    /// Under a good header, so that what lies behind it is reached.
    #[test]
    fn no_garbage_after_a_good_header(
        iv in prop::collection::vec(any::<u8>(), 0..20),
        text in prop::collection::vec(any::<u8>(), 0..200),
        tag in prop::collection::vec(any::<u8>(), 0..70),
    ) {
        for Format { codec, header, .. } in formats() {
            let parts = match header {
                V3 => vec![encode(header.as_bytes()), encode(&text), encode(&tag)],
                _ => vec![encode(header.as_bytes()), String::new(), encode(&iv), encode(&text), encode(&tag)],
            };
            prop_assert!(codec.decode(&parts.join(".")).is_err());
        }
    }

    #[test]
    fn no_changed_token_opens(
        which in 0_usize..4, at in any::<prop::sample::Index>(), cut in any::<bool>(), with in "\\PC{0,3}",
    ) {
        let Format { codec, header, forge, text } = formats().into_iter().nth(which).unwrap();
        let token = forge(header, &text);
        let at = at.index(token.len());
        let rest = &token[at + usize::from(cut)..];
        let changed = format!("{}{with}{rest}", &token[..at]);
        prop_assume!(changed != token);
        prop_assert!(codec.decode(&changed).is_err());
    }

    #[test]
    fn what_was_sealed_opens(claims in prop::collection::vec(any::<u8>(), 0..300)) {
        for codec in codecs(&Secret::new(SECRET)) {
            let opened = codec.decode(&codec.encode(&claims).unwrap()).unwrap();
            prop_assert_eq!(opened.claims, claims.clone());
            prop_assert!(!opened.outdated_key);
        }
    }
}
