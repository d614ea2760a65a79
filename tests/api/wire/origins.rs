//! The part of `next_v5` that is about the environment: where a site says that it is.

use http::Request;
use http_body_util::Full;
use portcullis::{Auth, Dialect, OriginPolicy};

use super::Findings;
use crate::support::{Browser, credentials, vectors, whoami};

#[tokio::test]
async fn providers_by_environment() {
    let mut findings = Findings::default();
    for vector in vectors::load("next_v5").iter().filter(|vector| vector.case().starts_with("handlers/")) {
        let variables = vector.texts("env");
        // Next.js trusts the host of its requests.
        let variable =
            |name: &str| variables.get(name).copied().or((name == "AUTH_TRUST_HOST").then_some("1"));
        let auth = Auth::builder(vector.secret())
            .origin(OriginPolicy::from_variables(|name| variable(name).map(str::to_owned)).unwrap())
            .dialect(Dialect::V5)
            .provider(credentials());
        let (scheme, host) = vector.str("base_url").split_once("://").unwrap();
        let path = if vector.case().ends_with("URL_path") { "/custom" } else { "/api/auth" };
        let request = Request::get(format!("{path}/providers"))
            .header("host", host)
            .header("x-forwarded-proto", scheme)
            .body(Full::default());
        let answer = Browser::new(whoami(auth.build().unwrap())).request(request.unwrap()).await;
        findings.cases += 1;
        let status = vector.i64("result/status");
        findings.compare(vector.case(), "status", status, answer.status.as_u16().into());
        findings.compare(vector.case(), "body", vector.get("result/body_json").clone(), answer.json());
    }
    assert_eq!(findings.cases, 8);
    findings.settle(&[]);
}
