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

/// The buttons of providers have their colours, which the policy allows with the rest of the style sheet.
#[cfg(feature = "oauth")]
#[tokio::test]
async fn s79_buttons_have_the_colours_of_their_provider() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use portcullis::{ButtonStyle, OAuth, preset};
    use sha2::{Digest, Sha256};

    let plain = OAuth::oidc("plain", "https://id.example", "id", "secret");
    let style = ButtonStyle { background: "#123456", text: "#fedcba" };
    let auth = builder(&ManualClock::at(NOW))
        .provider(preset::GitHub::new("id", "secret"))
        .provider(preset::HuggingFace::new("id", "secret"))
        .provider(plain.clone())
        .provider(plain.with_id("own.one").button(style));
    let page = Browser::new(whoami(auth.build().unwrap())).get("/api/auth/signin").await;
    assert_locked_down(&page, "buttons");
    let html = page.text();
    let (sheet, _) = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap();
    for (id, colors) in [
        ("github", Some(("#24292f", "#ffffff"))),
        ("huggingface", Some(("#ffd21e", "#000000"))),
        ("own\\.one", Some(("#123456", "#fedcba"))),
        ("plain", None),
    ] {
        let rule = colors.map(|(ground, text)| {
            format!(".provider-{id}{{--provider-color:{ground};--provider-text-color:{text}}}")
        });
        match rule {
            Some(rule) => assert!(sheet.contains(&rule), "{rule}: {sheet}"),
            None => assert!(!sheet.contains(&format!(".provider-{id}")), "{sheet}"),
        }
    }
    assert!(html.contains("class=\"button provider-github\""), "{html}");
    let hash = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(sheet)));
    assert!(page.header("content-security-policy").unwrap().contains(&hash));
}

/// A colour that is none stops the configuration: nothing gets into the style sheet that way.
#[cfg(feature = "oauth")]
#[test]
fn s79_a_button_cannot_break_out_of_the_style_sheet() {
    use portcullis::{ButtonStyle, OAuth};

    let evil = "red}</style><script>alert(1)</script>";
    for style in
        [ButtonStyle { background: evil, text: "" }, ButtonStyle { background: "#000000", text: evil }]
    {
        let provider = OAuth::oidc("plain", "https://id.example", "id", "secret").button(style);
        let error = builder(&ManualClock::at(NOW)).provider(provider).build().unwrap_err().to_string();
        assert!(error.contains("is no colour"), "{error}");
    }
}

fn without_token(answer: &Answer) -> String {
    regex::Regex::new("value=\"[0-9a-f]{64}\"").unwrap().replace_all(&answer.text(), "").into_owned()
}
