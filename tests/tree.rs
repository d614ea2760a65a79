//! What the crate is made of: rows S5, S17 and S94 of `docs/security.md`, and which module may use which.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--locked")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The names of the crates that a user of these features builds into their program.
fn tree(features: &[&str]) -> BTreeSet<String> {
    built(features).iter().filter_map(|package| Some(package.split_once(' ')?.0.to_owned())).collect()
}

/// Likewise, with their versions: `name v1.2.3`.
fn built(features: &[&str]) -> BTreeSet<String> {
    // What tests alone are built with does not count.
    let mut arguments = vec!["tree", "--edges", "no-dev", "--prefix", "none", "--format", "{p}"];
    arguments.extend(features);
    let lines = cargo(&arguments);
    let packages = lines.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    packages.filter(|package| !package.is_empty()).collect()
}

#[test]
fn s94_what_was_not_asked_for_is_not_built() {
    let bare = tree(&["--no-default-features"]);
    assert!(bare.contains("aes-gcm") && bare.contains("tower-service"), "{bare:?}");
    for unwanted in [
        "axum",
        "axum-core",
        "tonic",
        "sqlx",
        "redis",
        "lettre",
        "rustls",
        "reqwest",
        "hyper",
        "openssl",
        "native-tls",
        "rsa",
        "jsonwebtoken",
        "aws-lc-rs",
        "ring",
        "rand",
    ] {
        assert!(!bare.contains(unwanted), "{unwanted} is built without any feature");
    }
    let default = tree(&[]);
    assert!(default.contains("axum") && !default.contains("hyper"), "extractors need no server");
    let added: Vec<_> = default.difference(&bare).filter(|name| !name.starts_with("axum")).collect();
    assert!(added.len() < 20, "{added:?}");
}

/// RUSTSEC-2023-0071: private RSA keys are never used in variable time with the default backend.
#[test]
fn s94_signed_tokens_default_to_the_backend_without_known_leaks() {
    let jws = tree(&["--features", "jws"]);
    assert!(jws.contains("aws-lc-rs") && !jws.contains("rsa"), "{jws:?}");
}

#[test]
fn s94_unsafe_code_is_forbidden() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    assert!(manifest.contains("[lints.rust]\nunsafe_code = \"forbid\""));
    for (path, text) in sources() {
        let code = without_comments(&text);
        for word in ["unsafe ", "unsafe_code", "#[no_mangle]"] {
            assert!(!code.contains(word), "{word} in {}", path.display());
        }
    }
}

/// One TLS and one backend for it, and no framework.
#[test]
fn s94_clients_bring_one_provider() {
    for feature in ["hyper-client", "client"] {
        let built = tree(&["--no-default-features", "--features", feature]);
        assert!(
            built.contains("hyper") && built.contains("rustls") && built.contains("aws-lc-rs"),
            "{built:?}"
        );
        for unwanted in
            ["ring", "openssl", "native-tls", "rsa", "reqwest", "webpki-roots", "axum", "axum-core", "tonic"]
        {
            assert!(!built.contains(unwanted), "{unwanted} is built for {feature}");
        }
    }
}

/// Databases bring one TLS with one provider, and no crate with a known leak; no framework comes with them.
#[test]
fn s94_databases_bring_no_second_provider() {
    for features in
        ["sqlite", "postgres", "mysql", "redis", "smtp", "sqlite,postgres,mysql,redis,smtp,cache,metrics"]
    {
        let built = tree(&["--no-default-features", "--features", features]);
        for unwanted in ["ring", "openssl", "native-tls", "rsa", "axum", "chrono", "async-std", "reqwest"] {
            assert!(!built.contains(unwanted), "{unwanted} is built for {features}");
        }
    }
}

/// Every crate that users build says that the version of Rust which we promise is enough for it.
#[test]
fn s94_no_dependency_needs_a_newer_rust() {
    // What sqlx needs is promised beside the features that bring it.
    let promised = env!("CARGO_PKG_RUST_VERSION");
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--all-features"])).unwrap();
    for (features, promised) in [
        (&[][..], promised),
        (&["--no-default-features"], promised),
        (&["--features", "jws,client,redis,smtp,cache,metrics,conformance,tonic"], promised),
        (&["--all-features"], "1.94"),
    ] {
        let promised = version(promised);
        let built = built(features);
        assert!(built.len() > 30, "{features:?}: {}", built.len());
        for package in metadata["packages"].as_array().unwrap() {
            let name =
                format!("{} v{}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
            if let (true, Some(needed)) = (built.contains(&name), package["rust_version"].as_str()) {
                assert!(version(needed) <= promised, "{features:?}: {name} needs Rust {needed}");
            }
        }
    }
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
    parts.resize(3, 0);
    parts
}

/// The one source of random bytes is the system's; nothing can be given a seed.
#[test]
fn s17_random_bytes_come_from_the_system() {
    let mut fills = 0;
    for (path, text) in sources() {
        let code = without_tests(&text);
        fills += code.matches("getrandom::fill(").count();
        for word in [
            "seed",
            "rand::",
            "fastrand",
            "RandomState",
            "register_custom_getrandom",
            "Uuid::new_v1",
            "Uuid::new_v7",
        ] {
            assert!(!code.contains(word), "{word} in {}", path.display());
        }
    }
    assert_eq!(fills, 1, "in src/random.rs");
}

/// Where secrets, hashes and tokens are compared, it is in constant time.
#[test]
fn s05_secrets_are_compared_in_constant_time() {
    let csrf = without_tests(&fs::read_to_string("src/auth/csrf.rs").unwrap());
    assert_eq!(csrf.matches(".ct_eq(").count(), 2, "the hash and the token");
    assert!(!csrf.contains("==") && !csrf.contains("!="), "a comparison in variable time in csrf.rs");
    for (path, text) in sources() {
        let code = without_tests(&text);
        for name in ["csrf", "tag", "mac", "password", "secret", "hash"] {
            for comparison in
                [format!("{name} == "), format!("{name} != "), format!("== {name}"), format!("!= {name}")]
            {
                assert!(!code.contains(&comparison), "{comparison:?} in {}", path.display());
            }
        }
    }
}

/// Which modules of `src` use which. Each may use those above it; the two pairs that know each other are
/// named as such.
const USES: [(&str, &[&str]); 30] = [
    // base
    ("error", &[]),
    ("clock", &[]),
    ("random", &[]),
    ("user", &["clock"]),
    ("dialect", &[]),
    ("head", &[]),
    ("secret", &["error"]),
    ("origin", &["error", "head"]),
    // ports
    ("cookie", &["clock", "dialect", "error"]),
    ("http_client", &["clock", "error"]),
    ("mail", &["error"]),
    ("codec", &["clock", "dialect", "error", "http_client", "random", "secret"]),
    ("store", &["clock", "error", "user"]),
    // core
    ("session", &["clock", "codec", "cookie", "dialect", "error", "origin", "random", "store", "user"]),
    ("account", &["clock", "codec", "secret", "store", "user"]),
    ("mailed", &["clock", "codec", "cookie", "dialect", "random", "secret", "store"]),
    // These two know each other: callbacks are shown what was typed, and a provider is made of a callback.
    ("provider", &["account", "callbacks", "clock", "codec", "error", "mail", "mailed", "secret", "user"]),
    ("callbacks", &["clock", "error", "mail", "origin", "provider", "session", "user"]),
    (
        "oauth",
        &[
            "clock",
            "codec",
            "cookie",
            "dialect",
            "error",
            "head",
            "http_client",
            "provider",
            "random",
            "secret",
            "store",
            "user",
        ],
    ),
    ("reply", &["cookie", "dialect"]),
    ("cross_site", &["origin", "reply"]),
    ("pages", &["dialect", "error", "origin", "provider"]),
    // auth
    (
        "auth",
        &[
            "account",
            "callbacks",
            "clock",
            "codec",
            "cookie",
            "cross_site",
            "dialect",
            "error",
            "head",
            "http_client",
            "mailed",
            "oauth",
            "origin",
            "pages",
            "provider",
            "random",
            "secret",
            "session",
            "store",
            "user",
        ],
    ),
    // edges
    (
        "routes",
        &[
            "auth",
            "callbacks",
            "cookie",
            "dialect",
            "error",
            "head",
            "mail",
            "mailed",
            "oauth",
            "origin",
            "pages",
            "provider",
            "reply",
            "session",
            "store",
            "user",
        ],
    ),
    ("grpc", &["error", "head"]),
    ("layer", &["auth", "cookie", "error", "grpc", "head", "reply", "routes", "session"]),
    ("guard", &["auth", "callbacks", "clock", "dialect", "error", "grpc", "layer", "reply", "session"]),
    // frameworks
    ("axum", &["auth", "error", "guard", "layer", "session"]),
    ("tonic", &["auth", "error", "grpc", "guard", "head", "layer", "session"]),
    // the other side of the wire
    ("client", &["clock", "cookie", "dialect", "error", "http_client", "origin", "random", "session"]),
];

#[test]
fn modules_use_what_is_below_them() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources() {
        let first = path.strip_prefix("src").unwrap().iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs").to_owned();
        if module != "lib" {
            let used = imports(&without_tests(&text));
            found.entry(module.clone()).or_default().extend(used.into_iter().filter(|used| *used != module));
        }
    }
    let table: BTreeMap<_, BTreeSet<_>> = USES
        .iter()
        .map(|(module, used)| ((*module).to_owned(), used.iter().map(|used| (*used).to_owned()).collect()))
        .collect();
    assert_eq!(found, table, "left: what src does; right: the table here");
    for (index, (module, used)) in USES.iter().enumerate() {
        for used in *used {
            let below = USES[..index].iter().any(|(earlier, _)| earlier == used);
            assert!(
                below || (*module, *used) == ("provider", "callbacks"),
                "{module} uses {used}, which is not below it"
            );
        }
    }
}

/// The modules that `crate::` paths name.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => found.extend(first_segment(rest)),
            Some(list) => found.extend(top_level(list).iter().filter_map(|item| first_segment(item.trim()))),
        }
    }
    found
}

fn first_segment(path: &str) -> Option<String> {
    let end = path.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(path.len());
    (end > 0).then(|| path[..end].to_owned())
}

/// The items of a `use` list up to its closing brace, without what stands in braces of its own.
fn top_level(list: &str) -> Vec<String> {
    let (mut items, mut depth) = (vec![String::new()], 0);
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            character if depth == 0 => items.last_mut().unwrap().push(character),
            _ => {}
        }
    }
    items
}

/// The files of the library; those that are test modules are left out.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if ["tests", "vectors", "testing"].contains(&&*name) {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    assert!(found.len() > 50);
    found
}

/// The code that is compiled into the library: neither comments nor test modules.
fn without_tests(text: &str) -> String {
    let text = without_comments(text);
    match text.find("#[cfg(test)]\nmod tests {") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}
