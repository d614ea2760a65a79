//! URLs of databases that are none.

use portcullis::store::{self, StoreErrorKind};

/// It is the setting that is wrong, and the error says how to write it; not what was written, which may be a password.
#[tokio::test]
async fn a_url_that_is_none_is_said_to_be_none() {
    for (url, feature, advice) in [
        ("", true, "it begins with memory:"),
        ("hunter2", true, "it begins with memory:"),
        ("oracle://app:hunter2@localhost/app", true, "it begins with memory:"),
        ("sqlite:", cfg!(feature = "sqlite"), "write sqlite://auth.db"),
        ("sqlite://?mode=rw", cfg!(feature = "sqlite"), "write sqlite://auth.db"),
        ("sqlite://auth.db?mode=any", cfg!(feature = "sqlite"), "write sqlite://auth.db"),
        ("postgres://app:hunter2@:port/", cfg!(feature = "postgres"), "write postgres://user:"),
        ("postgres://app:hunt#er2@localhost/app", cfg!(feature = "postgres"), "%40 for an @"),
        ("mysql://app:hunter2@:port/", cfg!(feature = "mysql"), "write mysql://user:"),
        ("redis://app:hunter2@localhost:port", cfg!(feature = "redis"), "write redis://user:"),
        ("redis+cluster://a:port,b:6379", cfg!(feature = "redis"), "write redis://user:"),
        ("redis:hunter2", cfg!(feature = "redis"), "begins with redis://"),
    ] {
        let error = store::connect(url).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Configuration, "{url}: {error:?}");
        let text = format!("{error:?}");
        assert!(text.contains(if feature { advice } else { "to `features` in Cargo.toml" }), "{url}: {text}");
        assert!(!text.contains("hunt"), "{text}");
    }
}
