//! `GET /session` and `POST /session` (`docs/protocol.md` sections 6 and 10.1).

use http::StatusCode;
use serde_json::Value;

use super::Cx;
use crate::{auth::Renewal, callbacks::Event, dialect::Failure, reply::Reply};

/// Shows the session and renews it.
pub(super) async fn read(cx: &Cx) -> Reply {
    answer(cx, None).await
}

/// `update()` of the clients: the same, with what the client sent.
pub(super) async fn update(cx: &Cx) -> Reply {
    if !cx.is_verified() {
        tracing::warn!("a session update without a verified CSRF token was refused");
        let refusal = Reply::json(StatusCode::BAD_REQUEST, cx.auth.settings.rules.empty_session);
        return match cx.auth.settings.rules.failure {
            Failure::ErrorPage => refusal,
            Failure::PageOfCode => refusal.bare(),
        };
    }
    answer(cx, Some(cx.body.value("data").cloned())).await
}

async fn answer(cx: &Cx, update: Option<Option<Value>>) -> Reply {
    let Some(sealed) = cx.session() else { return nobody(cx) };
    let Ok(Some(Renewal { session, token, cookies })) = cx.auth.renew(&sealed, update, &cx.visit).await
    else {
        return nobody(cx);
    };
    let Ok(json) = serde_json::to_string(&session) else { return nobody(cx) };
    cx.auth.settings.callbacks.emit(Event::Session { session, token }).await;
    Reply::json(StatusCode::OK, json).with_cookies(cookies)
}

/// Nobody is signed in; session cookies that say otherwise are removed.
fn nobody(cx: &Cx) -> Reply {
    let visit = &cx.visit;
    let cookies = cx.auth.settings.strategy.clear(&visit.present, visit.https, visit.now);
    Reply::json(StatusCode::OK, cx.auth.settings.rules.empty_session).with_cookies(cookies)
}
