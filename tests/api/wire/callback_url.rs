//! `callback_url`: where a browser is led, and what its cookie says from then on.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use portcullis::{Auth, Dialect, OriginPolicy, Secret};

use super::Findings;
use crate::support::{Browser, vectors, whoami};

#[tokio::test]
async fn callback_url() {
    let mut findings = Findings::default();
    for vector in vectors::load("callback_url") {
        for dialect in [Dialect::V4, Dialect::V5] {
            let origin = OriginPolicy::fixed(vector.str("base_url")).unwrap();
            let auth = Auth::builder(Secret::new_unchecked("secret")).origin(origin).dialect(dialect);
            let mut browser = Browser::new(whoami(auth.build().unwrap()));
            let token = browser.csrf_token().await;
            let name = browser.jar.keys().find(|name| name.ends_with("callback-url")).unwrap().clone();
            match vector.opt_str("cookie") {
                Some(url) => {
                    browser.jar.insert(name.clone(), utf8_percent_encode(url, NON_ALPHANUMERIC).to_string())
                }
                None => browser.jar.remove(&name),
            };
            let mut fields = vec![("csrfToken", token.as_str())];
            fields.extend(vector.opt_str("param").map(|url| ("callbackUrl", url)));
            // A sign-out leads there, whoever asks for one.
            let answer = browser.post("/api/auth/signout", &fields).await;
            let case = format!("{dialect}/{}", vector.case());
            let expected = |member: &str| vector.opt_str(&format!("{dialect}/{member}"));
            findings.cases += 1;
            findings.compare(&case, "location", expected("callback_url"), answer.header("location"));
            let set = answer
                .cookie(&name)
                .map(|cookie| percent_decode_str(cookie.value()).decode_utf8_lossy().into_owned());
            findings.compare(&case, "cookie", expected("set_cookie").map(str::to_owned), set);
        }
    }
    findings.settle(&[]);
}
