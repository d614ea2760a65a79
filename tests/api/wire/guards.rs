//! `middleware_v4` and the parts of `next_v5` that are about who may pass: `withAuth`, and `auth` as middleware.

use std::{collections::BTreeSet, convert::Infallible};

use http::{Request, Response, header};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, CookieKind, CookieOptions, Dialect, OriginPolicy, Pages, RequireAuth, guard::Rule,
};
use serde_json::Value;
use tower::{Layer, service_fn};

use super::{Deliberate, Findings, Skipped, check_skipped, is_skipped};
use crate::support::{Answer, App, Browser, ManualClock, app, vectors};

const SKIPPED_V4: &[Skipped] = &[
    Skipped { prefix: "no_secret", reason: "no Auth can be made without a secret" },
    Skipped { prefix: "custom_error_no_secret", reason: "no Auth can be made without a secret" },
    Skipped { prefix: "authorized_true_anon", reason: "where everybody may pass there is no guard" },
    Skipped { prefix: "handler_authorized_anon", reason: "where everybody may pass there is no guard" },
];

const DELIBERATE_V4: &[Deliberate] = &[
    Deliberate {
        cases: &["public/_nextfoo", "public/favicon.icons"],
        aspects: &["passed", "location"],
        reason: "whole-segments",
    },
    Deliberate { cases: &["public/api/authors"], aspects: &["passed", "location"], reason: "whole-segments" },
    Deliberate { cases: &["nextauth_url_custom_path"], aspects: &["location"], reason: "one-base-path" },
];

const SKIPPED_V5: &[Skipped] = &[
    // Of these the answer is recorded, and not what was asked: there is nothing to send.
    Skipped {
        prefix: "auth_helper/",
        reason: "no request is recorded; what `auth()` sees is that of `get_token`",
    },
    Skipped {
        prefix: "server/",
        reason: "no request is recorded; `signIn()` in Next.js is a function of Node's",
    },
    Skipped { prefix: "handlers/", reason: "no guard: replayed in origins.rs" },
    Skipped { prefix: "middleware/no_authorized_callback", reason: "without a callback there is no guard" },
    Skipped { prefix: "middleware/wrapper", reason: "no guard, and no request is recorded" },
];

const DELIBERATE_V5: &[Deliberate] = &[];

/// The guard in front of a service that says it was reached.
fn guarded(auth: Auth, guard: RequireAuth) -> App {
    let reached = service_fn(async |_: Request<Full<bytes::Bytes>>| {
        Ok::<_, Infallible>(
            Response::builder().header("x-reached", "1").body(Full::<bytes::Bytes>::default()).unwrap(),
        )
    });
    app(AuthLayer::new(auth).layer(guard.layer(reached)))
}

fn pages(vector: &vectors::Vector, prefix: &str) -> Pages {
    let mut pages = Pages::new();
    if let Some(page) = vector.opt_str(&format!("{prefix}/pages/signIn")) {
        pages = pages.sign_in(page);
    }
    if let Some(page) = vector.opt_str(&format!("{prefix}/pages/error")) {
        pages = pages.error(page);
    }
    pages
}

/// What an `authorized` callback asks for.
fn rule(authorized: Option<&str>) -> Rule {
    match authorized {
        None | Some("() => undefined" | "({ auth }) => !!auth") => Rule::signed_in(),
        Some("({ token }) => token?.role === \"admin\"") => Rule::role("admin"),
        Some("() => false" | "() => new Response(\"no\", { status: 401 })") => Rule::when(|_| false),
        Some("({ request }) => Response.redirect(new URL(\"/x\", request.url))") => Rule::when(|_| false),
        Some(other) => panic!("no rule for {other}"),
    }
}

fn note(findings: &mut Findings, case: &str, answer: &Answer, passed: bool, location: Option<&str>) {
    findings.cases += 1;
    findings.compare(case, "passed", passed, answer.header("x-reached").is_some());
    findings.compare(case, "location", location, answer.header("location"));
}

#[tokio::test]
async fn with_auth_vectors() {
    let (mut findings, mut skipped) = (Findings::default(), BTreeSet::new());
    for vector in vectors::load("middleware_v4") {
        if is_skipped(SKIPPED_V4, vector.case(), &mut skipped) {
            continue;
        }
        let url = vector.opt_str("env/NEXTAUTH_URL").unwrap_or_else(|| vector.str("base_url"));
        let secret = ["options/secret", "env/NEXTAUTH_SECRET", "env/AUTH_SECRET"]
            .iter()
            .find_map(|at| vector.opt_str(at))
            .unwrap();
        // One case has a secret that `build` would refuse; what it is about is that it is another one.
        let secret = if secret == "other" { "9cLw2Rk7Xz4Vb1Nq8Tm5Yh3Jd6Gs0PfA" } else { secret };
        let mut builder = Auth::builder(portcullis::Secret::new(secret))
            .origin(OriginPolicy::fixed(url).unwrap())
            .pages(pages(&vector, "options"))
            .clock(ManualClock::at(vector.i64("now")));
        let prefix = vector.str("base_path");
        if !prefix.is_empty() {
            builder = builder.base_path(format!("{prefix}/api/auth"));
        }
        if let Some(name) = vector.opt_str("options/cookies/sessionToken/name") {
            builder = builder.cookie(CookieKind::SessionToken, CookieOptions::new().name(name));
        }
        let mut request = Request::get(format!("{prefix}{}", vector.str("path")));
        for (name, value) in vector.texts("headers") {
            request = request.header(name, value);
        }
        for (name, value) in vector.texts("session_cookie") {
            request = request.header(header::COOKIE, format!("{name}={value}"));
        }
        let guard = RequireAuth::with_auth(rule(vector.opt_str("options/callbacks/authorized")));
        let app = guarded(builder.build().unwrap(), guard);
        let answer = Browser::new(app).request(request.body(Full::default()).unwrap()).await;
        // The endpoints answer themselves; what counts is that no guard did.
        let endpoint = answer.status != 307 && answer.header("x-reached").is_none();
        let mut answer = answer;
        if endpoint {
            answer.headers.remove(header::LOCATION);
            answer.headers.insert("x-reached", "1".parse().unwrap());
        }
        note(
            &mut findings,
            vector.case(),
            &answer,
            vector.str("result") == "pass",
            vector.opt_str("location"),
        );
    }
    check_skipped(SKIPPED_V4, &skipped);
    findings.settle(DELIBERATE_V4);
}

#[tokio::test]
async fn auth_middleware_vectors() {
    let (mut findings, mut skipped) = (Findings::default(), BTreeSet::new());
    for vector in vectors::load("next_v5") {
        if is_skipped(SKIPPED_V5, vector.case(), &mut skipped) {
            continue;
        }
        let builder = Auth::builder(vector.secret())
            .origin(OriginPolicy::fixed(vector.str("base_url")).unwrap())
            .dialect(Dialect::V5)
            .pages(pages(&vector, "config"))
            .clock(ManualClock::at(vector.i64("now")));
        let mut request = Request::get(vector.str("path"));
        if let Some(cookie) = vector.opt_str("cookie") {
            request =
                request.header(header::COOKIE, format!("{}={cookie}", vector.str("session_cookie_name")));
        }
        let authorized = vector.opt_str("config/callbacks/authorized");
        let guard = RequireAuth::with_auth(rule(authorized)).refuse_with({
            let answer = authorized.unwrap_or_default().to_owned();
            let elsewhere = format!("{}/x", vector.str("base_url"));
            move |_| {
                let response = Response::builder();
                if answer.contains("new Response") {
                    return response.status(401).body("no".into()).ok();
                }
                let to = answer.contains("Response.redirect").then_some(&elsewhere)?;
                response.status(302).header(header::LOCATION, to).body(bytes::Bytes::new()).ok()
            }
        });
        let app = guarded(builder.build().unwrap(), guard);
        let answer = Browser::new(app).request(request.body(Full::default()).unwrap()).await;
        let passed = vector.get("result/headers/x-middleware-next") == &Value::from("1");
        note(&mut findings, vector.case(), &answer, passed, vector.opt_str("result/headers/location"));
        let status = vector.i64("result/status");
        findings.compare(vector.case(), "status", status, i64::from(answer.status.as_u16()));
    }
    check_skipped(SKIPPED_V5, &skipped);
    findings.settle(DELIBERATE_V5);
}
