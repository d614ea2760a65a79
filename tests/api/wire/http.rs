//! `http_v3`, `http_v4`, `http_v5`: each endpoint and each error.

use std::collections::BTreeSet;

use super::{Findings, Skipped, check_skipped, deliberate, is_skipped, response, site::Site};
use crate::support::{Browser, vectors};

const SKIPPED: &[Skipped] = &[
    // The recorded site answers that it is set up wrongly; here there is none that could answer.
    Skipped { prefix: "config/no_secret_", reason: "`Auth::builder` takes a secret" },
    Skipped {
        prefix: "config/email_without_adapter",
        reason: "`build` refuses links by mail without a store",
    },
    Skipped {
        prefix: "config/untrusted_host",
        reason: "no `Host` is trusted unless an `OriginPolicy` says so",
    },
    #[cfg(not(feature = "oauth"))]
    Skipped { prefix: "signin/oauth_", reason: "there is no provider to sign in at" },
    #[cfg(not(feature = "oauth"))]
    Skipped { prefix: "signin/callback_", reason: "there is no provider to sign in at" },
    #[cfg(not(feature = "oauth"))]
    Skipped { prefix: "providers/", reason: "there is no provider to list" },
];

async fn replay(version: &str) -> Findings {
    let mut findings = Findings::default();
    let mut skipped = BTreeSet::new();
    for vector in vectors::load(&format!("http_{version}")) {
        if is_skipped(SKIPPED, vector.case(), &mut skipped) {
            continue;
        }
        let case = format!("{version}/{}", vector.case());
        let site = Site::of(&vector).await;
        let answer = Browser::new(site.app.clone()).request(response::request(&vector)).await;
        let told = std::mem::take(&mut *site.told.lock().unwrap());
        let expected = vector.list("events").iter().map(|event| event["event"].as_str().unwrap()).collect();
        findings.cases += 1;
        response::compare(&mut findings, &case, &vector, &site, &answer).await;
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
