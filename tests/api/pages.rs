//! What the built-in pages forbid a browser: row S79 of `docs/security.md`.

use http::StatusCode;
use portcullis::Dialect;

use crate::support::{Answer, Browser, ManualClock, NOW, builder, whoami};

fn browser(dialect: Dialect) -> Browser {
    Browser::new(whoami(builder(&ManualClock::at(NOW)).dialect(dialect).build().unwrap()))
}

fn assert_locked_down(answer: &Answer, about: &str) {
    assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{about}");
    let policy = answer.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"] {
        assert!(policy.contains(part), "{about}: {policy}");
    }
    assert!(
        !policy.contains("script-src") && !policy.contains("unsafe") && !policy.contains('*'),
        "{about}: {policy}"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{about}");
    }
    let html = answer.text().to_lowercase();
    assert!(!has_script(&html), "{about}");
}

/// An element or an attribute with a script in it.
fn has_script(html: &str) -> bool {
    html.split_whitespace().any(|word| word.starts_with("on") && word.contains('='))
        || html.contains("<script")
        || html.contains("javascript:")
}

#[tokio::test]
async fn s79_every_page_forbids_scripts_and_frames() {
    for dialect in Dialect::ALL {
        for page in [
            "signin",
            "signin?error=x",
            "signout",
            "verify-request",
            "error",
            "error?error=Configuration",
            "error?error=AccessDenied",
            "error?error=Verification",
        ] {
            assert_locked_down(
                &browser(dialect).get(&format!("/api/auth/{page}")).await,
                &format!("{dialect} {page}"),
            );
        }
    }
}

/// Unknown codes get the text for unknown codes, and nothing of what was sent is shown.
#[tokio::test]
async fn s79_shown_text_is_ours() {
    for dialect in Dialect::ALL {
        for page in ["signin", "error"] {
            let text =
                async |code: &str| browser(dialect).get(&format!("/api/auth/{page}?error={code}")).await;
            let (status, known) = {
                let answer = text("SomethingElse").await;
                (answer.status, without_token(&answer))
            };
            assert_eq!(status, StatusCode::OK);
            for code in [
                "%3Cscript%3Ealert(1)%3C/script%3E",
                "%22onload=alert(1)//",
                "javascript:alert(1)",
                "constructor",
                "__proto__",
                "toString",
                "%00",
                "%FF",
            ] {
                let answer = text(code).await;
                assert_locked_down(&answer, code);
                assert_eq!(
                    (answer.status, without_token(&answer)),
                    (StatusCode::OK, known.clone()),
                    "{dialect} {page} {code}"
                );
            }
        }
        let answer = browser(dialect)
            .get("/api/auth/signin?callbackUrl=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
            .await;
        assert_locked_down(&answer, "a callbackUrl");
        assert!(!answer.text().contains("\"><script>"), "{dialect}");
    }
}

fn without_token(answer: &Answer) -> String {
    regex::Regex::new("value=\"[0-9a-f]{64}\"").unwrap().replace_all(&answer.text(), "").into_owned()
}
