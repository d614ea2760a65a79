//! Takes the code that stands beside a link.

use http::StatusCode;

use super::{Used, admit, asked, failed, used};
use crate::{
    error::ErrorCode,
    mailed::Guess,
    pages::CodeForm,
    provider::{Email, Provider},
    reply::Reply,
    routes::Cx,
};

/// What the page is given after a wrong code.
const WRONG: &str = "Verification";

/// Signs in if it is the code. Link and code are used up together, so that one of them signs in once.
pub(super) async fn enter(cx: &Cx, email: &Email) -> Reply {
    let Some(stores) = &cx.auth.settings.stores else { return failed(cx, email, ErrorCode::Configuration) };
    let Some(asked) = asked(cx, email) else { return failed(cx, email, ErrorCode::Verification) };
    let Some(code) = &asked.code else { return failed(cx, email, ErrorCode::Verification) };
    let typed = cx.body.text("code").unwrap_or_default();
    match code.guess(stores, &asked.link, typed, cx.visit.now).await {
        Ok(Guess::Wrong) => try_again(cx, email),
        Ok(Guess::Dead) => failed(cx, email, ErrorCode::Verification),
        Ok(Guess::Right) => match used(cx, stores, &asked.email, &asked.link).await {
            Ok(Used::Good(address)) => admit(cx, stores, email, &address).await,
            Ok(Used::Late | Used::Unknown) => failed(cx, email, ErrorCode::Verification),
            Err(_) => failed(cx, email, ErrorCode::Callback),
        },
        Err(_) => failed(cx, email, ErrorCode::Callback),
    }
}

/// Back to the page with the form.
fn try_again(cx: &Cx, email: &Email) -> Reply {
    let page = match &cx.site.pages.verify_request {
        Some(page) => cx.absolute(page),
        None => format!("{}/verify-request?provider={}&type=email", cx.base, email.id()),
    };
    Reply::redirect(StatusCode::UNAUTHORIZED, cx.with_parameter(&page, "error", WRONG))
}

/// The form, in the browser that has asked for a mail with a code.
pub(in crate::routes) fn form(cx: &Cx) -> Option<CodeForm<'_>> {
    let provider = cx.site.provider(cx.query.text("provider")?)?;
    let Provider::Email(email) = provider else { return None };
    let code = asked(cx, email)?.code?;
    code.is_good(cx.visit.now).then(|| CodeForm {
        base: &cx.base,
        provider: email.id(),
        csrf_token: &cx.csrf.token,
        was_wrong: cx.query.text("error") == Some(WRONG),
    })
}
