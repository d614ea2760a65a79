//! `http_v3`, `http_v4`, `http_v5`: each endpoint and each error.

use std::collections::BTreeSet;

use super::{Findings, Skipped, check_skipped, deliberate, is_skipped, response, site};
use crate::support::{Browser, vectors};

const SKIPPED: &[Skipped] = &[
    Skipped { prefix: "email_callback/", reason: "no store is filled here: tests/database/mail.rs" },
    Skipped { prefix: "db/", reason: "there is no database strategy" },
    Skipped { prefix: "credentials/db_strategy/", reason: "there is no database strategy" },
    Skipped { prefix: "signin/oauth_", reason: "oauth.rs sends such posts" },
    Skipped { prefix: "signin/callback_", reason: "oauth.rs sends such posts" },
    Skipped { prefix: "config/no_secret_", reason: "no Auth can be made without a secret" },
    Skipped { prefix: "config/email_without_adapter", reason: "no Auth can mail without a store" },
    Skipped { prefix: "config/untrusted_host", reason: "no Auth can be made without an OriginPolicy" },
];

async fn replay(version: &str) -> Findings {
    let mut findings = Findings::default();
    let mut skipped = BTreeSet::new();
    for vector in vectors::load(&format!("http_{version}")) {
        if is_skipped(SKIPPED, vector.case(), &mut skipped) {
            continue;
        }
        let case = format!("{version}/{}", vector.case());
        let (app, told) = site::build(&vector);
        let answer = Browser::new(app.clone()).request(response::request(&vector)).await;
        let told = std::mem::take(&mut *told.lock().unwrap());
        let expected = vector.list("events").iter().map(|event| event["event"].as_str().unwrap()).collect();
        findings.cases += 1;
        response::compare(&mut findings, &case, &vector, &app, &answer).await;
        findings.compare(&case, "events", expected, told);
    }
    if version == "v5" {
        check_skipped(SKIPPED, &skipped);
    }
    findings
}

#[tokio::test]
async fn v3() {
    replay("v3").await.settle(deliberate::V3);
}

#[tokio::test]
async fn v4() {
    replay("v4").await.settle(deliberate::V4);
}

#[tokio::test]
async fn v5() {
    replay("v5").await.settle(deliberate::V5);
}
