//! `email_tokens`: what becomes of an address, and what is mailed and stored for it.

use std::{sync::Arc, time::Duration};

use portcullis::{
    Auth, Email, OriginPolicy, Secret,
    mail::{EmailAddress, Mailbox},
    store::{MemoryStore, Store},
};
use sha2::{Digest, Sha256};

use super::{Deliberate, Findings};
use crate::support::{Browser, ManualClock, vectors, whoami};

const DELIBERATE: &[Deliberate] = &[
    // No address of this kind.
    Deliberate {
        cases: &[
            "*/\"a,b@example.com\"",
            "*/\"a b@example.com\"",
            "*/\"a;b@example.com\"",
            "*/{\"normalize\":true}",
            "v3/\"two@at@example.com\"",
            "v3/\"@example.com\"",
            "v3/\"local@\"",
            "v3/\"a@,b.c\"",
            "v3/\"\\\"quoted\\\"@example.com\"",
            "v3/\"a@example.com\\\"\"",
        ],
        aspects: &["location", "identifier", "link"],
        reason: "one-address",
    },
    // One form of it: v3 leaves it as it was typed.
    Deliberate {
        cases: &[
            "v3/\"  padded@example.com  \"",
            "v3/\"user@\u{ff45}xample.com\"",
            "v3/\"\u{fb01}@example.com\"",
            "v3/\"a@example.com\\n\"",
        ],
        aspects: &["identifier", "link"],
        reason: "one-address",
    },
    // v3 never answers these.
    Deliberate { cases: &["v3/\"no-at-sign\""], aspects: &["location"], reason: "one-address" },
    Deliberate {
        cases: &["v3/\"user\u{ff20}example.com\""],
        aspects: &["location", "identifier", "link"],
        reason: "one-address",
    },
];

/// S51, S52.
#[tokio::test]
async fn email_tokens() {
    let mut findings = Findings::default();
    for vector in vectors::load("email_tokens") {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let mailbox = Mailbox::default();
        let auth = Auth::builder(Secret::new_unchecked(vector.str("secret")))
            .origin(OriginPolicy::fixed(vector.str("base_url")).unwrap())
            .dialect(vector.dialect())
            .clock(ManualClock::at(vector.i64("now")))
            .store(Arc::clone(&store))
            .provider(provider(&vector, &mailbox))
            .build()
            .unwrap();
        let mut browser = Browser::new(whoami(auth));
        let token = browser.csrf_token().await;
        let fields = [("csrfToken", &*token), ("email", vector.str("input"))];
        let answer = browser.post("/api/auth/signin/email", &fields).await;
        let (case, mail) = (vector.case(), mailbox.take().pop());
        findings.cases += 1;
        findings.compare(case, "location", vector.opt_str("location"), answer.header("location"));
        let identifier = mail.as_ref().map(|mail| mail.to.as_str());
        findings.compare(case, "identifier", vector.opt_str("identifier"), identifier);
        let link = mail.as_ref().and_then(|mail| mail.text.lines().nth(1));
        findings.compare(case, "link", vector.opt_str("link"), link);
        let Some(identifier) = identifier else { continue };
        let expected = match vector.opt_str("stored_token") {
            Some(stored) => stored.to_owned(),
            // In v3 the adapter makes it (`docs/protocol.md` section 8).
            None => Sha256::digest(format!("{}{}", token_of(&vector), vector.str("secret")))
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        };
        let row = store.use_verification_token(identifier, &expected).await.unwrap();
        assert!(row.is_some(), "{case}: what is stored is another hash");
        let expires = row.map(|row| row.expires.to_string());
        if vector.has("expires") {
            findings.compare(case, "expires", vector.opt_str("expires"), expires.as_deref());
        }
    }
    assert_eq!(findings.cases, 186);
    findings.settle(DELIBERATE);
}

/// As the vector has it; with the token that was recorded, so that everything else can be compared.
fn provider(vector: &vectors::Vector, mailbox: &Mailbox) -> Email {
    let mut provider = Email::new(mailbox.clone());
    if let Some(secret) = vector.opt_str("options/secret") {
        provider = provider.secret(Secret::new_unchecked(secret));
    }
    if let Some(seconds) = vector.get("options/maxAge").as_u64() {
        provider = provider.max_age(Duration::from_secs(seconds));
    }
    if vector.has("options/normalize") {
        // The recorded function answers `norm:` with what was typed.
        provider =
            provider.normalize_identifier(async |typed| Ok(EmailAddress::parse(&format!("norm:{typed}"))));
    }
    let token = token_of(vector).to_owned();
    provider.generate_verification_token(move || std::future::ready(Ok(token.clone())))
}

fn token_of(vector: &vectors::Vector) -> &str {
    vector.opt_str("token").unwrap_or("they sent none")
}
