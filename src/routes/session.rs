//! `GET /session` and `POST /session` (`docs/protocol.md` sections 6 and 10.1).

use http::StatusCode;
use serde_json::Value;

use super::Cx;
use crate::{auth::Renewal, callbacks::Event, dialect::Failure, reply::Reply, session::Found};

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
    answer(cx, Some(cx.body.value("data"))).await
}

async fn answer(cx: &Cx, update: Option<Option<Value>>) -> Reply {
    let live = match cx.session().await {
        Found::Session(live) => live,
        Found::Nobody => return removed(cx),
        // It is not known, so the cookie stays.
        Found::Disputed | Found::Later(_) | Found::Unavailable => return nobody(cx),
    };
    let Renewal { session, token, cookies, .. } = match cx.auth.renew(&live, update, &cx.visit).await {
        Ok(Some(renewal)) => renewal,
        Ok(None) => return removed(cx),
        // A fault of ours signs nobody out: the cookie stays, and the next read may do better.
        Err(_) => return nobody(cx),
    };
    let Ok(json) = serde_json::to_string(&session) else { return nobody(cx) };
    cx.auth.settings.callbacks.emit(Event::Session { session, token }).await;
    Reply::json(StatusCode::OK, json).with_cookies(cookies)
}

/// Nobody is signed in.
fn nobody(cx: &Cx) -> Reply {
    Reply::json(StatusCode::OK, cx.auth.settings.rules.empty_session)
}

/// Nobody is signed in, and the cookies that say otherwise are removed.
fn removed(cx: &Cx) -> Reply {
    nobody(cx).with_cookies(cx.auth.clear(&cx.visit))
}
