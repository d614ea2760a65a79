//! `error_table`: what each code becomes on the error page and on the sign-in page.

use http::Request;
use http_body_util::Full;
use portcullis::{Auth, OriginPolicy, Secret};
use serde_json::Value;

use super::{Findings, page::Page};
use crate::support::{Answer, App, Browser, credentials, vectors, whoami};

fn site(vector: &vectors::Vector) -> App {
    let origin = OriginPolicy::fixed(vector.str("base_url")).unwrap();
    let secret = Secret::new_unchecked("secret");
    let builder = Auth::builder(secret).origin(origin).dialect(vector.dialect());
    whoami(builder.provider(credentials()).build().unwrap())
}

async fn get(app: &App, action: &str, error: Option<&str>) -> Answer {
    let query = error.map(|error| format!("?error={error}")).unwrap_or_default();
    let request = Request::get(format!("/api/auth/{action}{query}")).body(Full::default()).unwrap();
    Browser::new(app.clone()).request(request).await
}

#[tokio::test]
async fn error_table() {
    let mut findings = Findings::default();
    for vector in vectors::load("error_table") {
        let (case, app, error) = (vector.case(), site(&vector), vector.opt_str("error"));
        findings.cases += 1;
        compare_error(&mut findings, case, vector.get("error_endpoint"), &get(&app, "error", error).await);
        compare_sign_in(
            &mut findings,
            case,
            vector.get("signin_endpoint"),
            &get(&app, "signin", error).await,
        );
    }
    findings.settle(&[]);
}

fn compare_error(findings: &mut Findings, case: &str, expected: &Value, answer: &Answer) {
    findings.compare(case, "error status", &expected["status"], &answer.status.as_u16().into());
    findings.compare(case, "error location", expected["location"].as_str(), answer.header("location"));
    let page = Page::read(&answer.text());
    let lines = expected["message_lines"].as_array().into_iter().flatten();
    // "Sign in" is the link, which the table counts as a text for one code and not for another.
    let texts = [&expected["heading"]].into_iter().chain(lines).filter_map(Value::as_str);
    let texts: Vec<_> = texts.filter(|text| *text != "Sign in").collect();
    let link = expected["has_signin_link"].as_bool().unwrap_or_default();
    let linked = page.links.iter().any(|(href, _)| href.ends_with("/signin"));
    findings.compare(case, "error texts", texts, page.texts.iter().map(String::as_str).collect());
    findings.compare(case, "error link", link, linked);
}

fn compare_sign_in(findings: &mut Findings, case: &str, expected: &Value, answer: &Answer) {
    findings.compare(case, "sign-in status", &expected["status"], &answer.status.as_u16().into());
    let page = Page::read(&answer.text());
    findings.compare(
        case,
        "sign-in text",
        expected["message"].as_str(),
        page.texts.first().map(String::as_str),
    );
}
