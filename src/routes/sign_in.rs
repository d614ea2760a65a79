//! `GET /signin` and `POST /signin/PROVIDER` (`docs/protocol.md` section 6).

use http::StatusCode;

#[cfg(feature = "oauth")]
use super::oauth;
use super::{Cx, email};
use crate::{dialect::Failure, error::ErrorCode, pages, provider::Provider, reply::Reply};

/// The sign-in page: the application's own, or the built-in one.
pub(super) fn page(cx: &Cx, provider: Option<&str>) -> Reply {
    let rules = cx.auth.settings.rules;
    if provider.is_some() && !rules.sign_in_page_of_provider {
        return cx.fail(ErrorCode::Configuration, None, StatusCode::OK);
    }
    let error = cx.query.text("error");
    if let Some(page) = &cx.site.pages.sign_in {
        let mut url = cx.with_parameter(page, "callbackUrl", &cx.callback_url);
        if let Some(error) = error.or(provider) {
            url = cx.with_parameter(&url, "error", error);
        }
        return Reply::redirect(StatusCode::OK, url);
    }
    let html = pages::sign_in(&pages::SignIn {
        style: &cx.site.style,
        base: &cx.base,
        providers: &cx.site.providers,
        csrf_token: &cx.csrf.token,
        callback_url: &cx.callback_url,
        email: cx.query.text("email").unwrap_or_default(),
        error: error.and_then(|error| pages::sign_in_message(error, rules)),
    });
    cx.page(StatusCode::OK, html)
}

/// Starts a sign-in. Credentials start at their callback, so here they are sent to the page.
pub(super) async fn start(cx: &Cx, provider: Option<&str>) -> Reply {
    if !cx.is_verified() {
        return cx.fail_csrf("signin");
    }
    if let Some(Provider::Email(provider)) = provider.and_then(|id| cx.site.provider(id)) {
        return email::send(cx, provider).await;
    }
    #[cfg(feature = "oauth")]
    if let Some(client) = provider.and_then(|id| cx.site.oauth.client(id)) {
        return oauth::start(cx, client).await;
    }
    let known = provider.map(|id| cx.site.provider(id));
    match (cx.auth.settings.rules.failure, known) {
        (_, Some(Some(_))) | (Failure::PageOfCode, None) => {
            Reply::redirect(StatusCode::OK, format!("{}/signin", cx.base))
        }
        (Failure::PageOfCode, Some(None)) => cx.fail(ErrorCode::Configuration, None, StatusCode::OK),
        (Failure::ErrorPage, _) => Reply::redirect(StatusCode::OK, format!("{}/signin?csrf=true", cx.base)),
    }
}
