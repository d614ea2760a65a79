//! `POST /backchannel-logout/PROVIDER`: a provider tells that somebody has signed out there (OpenID Connect Back-Channel
//! Logout section 2.5).

use http::StatusCode;

use super::Cx;
use crate::{oauth::OAuthClient, reply::Reply};

pub(super) async fn end(cx: &Cx, client: &OAuthClient) -> Reply {
    let provider = &client.provider.id;
    let Some(token) = cx.body.text("logout_token") else {
        return refused(provider, "it has no logout_token");
    };
    let logout = match client.logout_token(token).await {
        Ok(logout) => logout,
        Err(error) => return refused(provider, &error.to_string()),
    };
    let stores = cx.auth.settings.stores.as_ref();
    match cx.site.oauth.used.take(stores, &logout.hash, logout.forgotten, cx.visit.now).await {
        Ok(true) => {}
        Ok(false) => return refused(provider, "its token was used before"),
        Err(error) => return refused(provider, &error.to_string()),
    }
    match cx.auth.end_upstream(provider, &logout).await {
        Ok(()) => Reply::empty().bare(),
        Err(error) => {
            // The provider may try again.
            cx.site.oauth.used.give_back(stores, &logout.hash).await;
            refused(provider, &error.to_string())
        }
    }
}

/// The specification knows one answer to all that fails.
fn refused(provider: &str, why: &str) -> Reply {
    tracing::warn!(provider, "a logout that a provider told of was refused: {why}");
    Reply::json(StatusCode::BAD_REQUEST, r#"{"error":"invalid_request"}"#).bare()
}
