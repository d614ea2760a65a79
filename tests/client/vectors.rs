//! Our client beside those of npm (`docs/protocol.md` section 15): the recorded calls, and what each has done.

use portcullis::{
    Dialect,
    client::{Client, ClientErrorKind},
};

use crate::{
    npm::replay,
    replies::{Replies, Reply},
    support::{ORIGIN, findings::Deliberate},
};

/// In what ours is meant to differ. Its rows are those of the section "The client API" in `docs/hardening.md`.
pub const DELIBERATE: &[Deliberate] = &[
    Deliberate {
        cases: &["v5/getSession/none_as_empty_object", "v5/SessionProvider/mount_none_empty_object"],
        aspects: &["value"],
        reason: "client-nobody",
    },
    Deliberate {
        cases: &["v3/getSession/none_as_null", "v4/getSession/none_as_null", "v4/*/mount_none_null"],
        aspects: &["log", "failure"],
        reason: "client-nobody",
    },
    Deliberate {
        cases: &["v3/getProviders/empty", "v4/getProviders/empty"],
        aspects: &["value"],
        reason: "client-no-providers",
    },
    Deliberate { cases: &["*/signIn/providers_down"], aspects: &["location"], reason: "client-failures" },
    Deliberate {
        cases: &["*/signIn/credentials_redirect_false_relative_url"],
        aspects: &["value", "failure"],
        reason: "client-paths",
    },
    Deliberate {
        cases: &[
            "v3/getSession/500",
            "v4/getSession/500",
            "v3/signIn/providers_down",
            "v4/signIn/providers_down",
            "v4/SessionProvider/basePath",
            "v4/update/server_400",
        ],
        aspects: &["log"],
        reason: "client-told-failures",
    },
    Deliberate {
        cases: &[
            "*/getSession/no_broadcast",
            "*/signIn/oauth",
            "*/signIn/oauth_callback_and_params",
            "*/signIn/oauth_redirect_false",
            "*/signIn/email",
            "*/signIn/email_redirect_false",
            "*/signIn/email_redirect_false_error",
            "*/signIn/credentials",
            "*/signIn/credentials_redirect_false_ok",
            "*/signIn/credentials_redirect_false_error",
            "*/signIn/credentials_redirect_false_relative_url",
            "*/signIn/credentials_redirectTo",
            "*/signIn/credentials_undefined_field",
            "*/signIn/credentials_params",
            "*/signIn/hash_url",
            "*/signIn/no_url_in_reply",
        ],
        aspects: &["announcement"],
        reason: "client-announcements",
    },
];

#[tokio::test(start_paused = true)]
async fn the_client_does_what_those_of_npm_do() {
    let findings = replay(true).await;
    assert_eq!(findings.cases, 232);
    findings.settle(DELIBERATE);
}

/// What stands in the place of npm's report: the same fields, without those that say nothing.
#[tokio::test]
async fn the_server_is_told_of_what_it_answered() {
    let replies = Replies::new().with("session", Reply::status(500));
    let client = Client::builder(ORIGIN).dialect(Dialect::V4).http_client(replies.http());
    client.build().unwrap().get_session().await.unwrap_err();
    let asked = replies.asked();
    assert_eq!(asked.iter().map(|asked| asked.endpoint()).collect::<Vec<_>>(), ["session", "POST _log"]);
    let form = asked[1].form();
    let names: Vec<_> = form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["level", "code", "url", "message", "client"]);
    assert_eq!((&*form[0].1, &*form[1].1, &*form[2].1), ("error", "CLIENT_FETCH_ERROR", "/api/auth/session"));
    assert!(form[3].1.contains("500") && form[4].1 == "true", "{form:?}");
    assert_eq!(asked[1].header("content-type"), Some("application/x-www-form-urlencoded"));
}

/// To ask a server that does not answer once more would double the wait.
#[tokio::test]
async fn a_server_that_does_not_answer_is_told_nothing() {
    let replies = Replies::new().with("session", Reply::down());
    let client = Client::builder(ORIGIN).dialect(Dialect::V4).http_client(replies.http());
    let error = client.build().unwrap().get_session().await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Unavailable);
    assert_eq!(replies.asked().len(), 1);
}

#[tokio::test]
async fn whoever_does_not_want_it_tells_nothing() {
    let replies = Replies::new().with("session", Reply::status(500));
    let client =
        Client::builder(ORIGIN).dialect(Dialect::V4).log_to_server(false).http_client(replies.http());
    client.build().unwrap().get_session().await.unwrap_err();
    assert_eq!(replies.asked().len(), 1);
}
