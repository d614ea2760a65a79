//! Links by mail: asked for at `POST /signin/ID`, opened at `GET /callback/ID` (`docs/protocol.md` section 8).

use http::StatusCode;

use super::{
    Cx,
    callback::{self, Proven},
};
use crate::{
    callbacks::{Failed, SignInContext},
    error::ErrorCode,
    mail::{EmailAddress, Mail},
    pages,
    provider::{Email, SignInLink},
    reply::Reply,
    store::{StoreError, Stores, VerificationToken},
    user::{Account, User},
};

/// Sends a link.
pub(super) async fn send(cx: &Cx, email: &Email) -> Reply {
    let rules = cx.auth.settings.rules;
    let Some(stores) = &cx.auth.settings.stores else { return failed(cx, email, ErrorCode::Configuration) };
    let typed = cx.body.text("email").unwrap_or_default();
    let Some(address) = EmailAddress::normalise(typed, rules.domain_needs_dot) else {
        return failed(cx, email, ErrorCode::EmailSignin);
    };
    let Ok(user) = user_of(stores, &address).await else { return failed(cx, email, ErrorCode::EmailSignin) };
    let context =
        SignInContext { verification_request: true, ..SignInContext::new(user, account_of(email, &address)) };
    if let Err(refused) = callback::may_sign_in(cx, context).await {
        return refused.reply(cx, email.id()).await;
    }
    if !mailed(cx, stores, email, address).await {
        return failed(cx, email, ErrorCode::EmailSignin);
    }
    let to = format!("{}/verify-request?provider={}&type=email", cx.base, email.id());
    Reply::redirect(StatusCode::OK, to)
}

/// Opens a link.
pub(super) async fn open(cx: &Cx, email: &Email) -> Reply {
    let rules = cx.auth.settings.rules;
    let Some(stores) = &cx.auth.settings.stores else { return failed(cx, email, ErrorCode::Configuration) };
    let Some(token) = cx.query.text("token").filter(|token| !token.is_empty()) else {
        return failed(cx, email, ErrorCode::MissingToken { code: rules.missing_token });
    };
    let identifier = cx.query.text("email").unwrap_or_default();
    let address = match used(cx, stores, identifier, token).await {
        Ok(Some(address)) => address,
        Ok(None) => return failed(cx, email, ErrorCode::Verification),
        Err(_) => return failed(cx, email, ErrorCode::Callback),
    };
    let Ok(user) = user_of(stores, &address).await else { return failed(cx, email, ErrorCode::Callback) };
    let account = account_of(email, &address);
    callback::finish(cx, email.id(), Proven::new(user, account)).await
}

/// Whether the mail has left. The token is stored before that, and does not stay if it has not (S50).
async fn mailed(cx: &Cx, stores: &Stores, email: &Email, to: EmailAddress) -> bool {
    let Ok(token) = cx.site.csrf.new_token() else { return false };
    let Some(hash) = cx.site.csrf.hashes(&token).next() else { return false };
    let identifier = to.as_str().to_owned();
    let row = VerificationToken::new(&identifier, &hash, cx.visit.now.plus(email.lifetime()));
    if stores.ask(stores.tokens.create_verification_token(&row)).await.is_err() {
        return false;
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("callbackUrl", &cx.callback_url)
        .append_pair("token", &token)
        .append_pair("email", &identifier)
        .finish();
    let link = SignInLink {
        to,
        url: format!("{}/callback/{}?{query}", cx.base, email.id()),
        host: cx.origin.host().to_owned(),
        max_age: email.lifetime(),
    };
    let sent = match written(cx, email, link).await {
        Ok(mail) => cx.auth.settings.callbacks.send(email.mailer(), mail).await,
        Err(failed) => Err(failed),
    };
    if sent.is_err() {
        let _ = stores.ask(stores.tokens.use_verification_token(&identifier, &hash)).await;
    }
    sent.is_ok()
}

async fn written(cx: &Cx, email: &Email, link: SignInLink) -> Result<Mail, Failed> {
    if let Some(write) = email.writer() {
        return cx.auth.settings.callbacks.run("write", write, link).await;
    }
    let (subject, text, html) = pages::sign_in_mail(&cx.site.style, &link.host, &link.url);
    Ok(Mail::new(link.to, subject, text, html))
}

/// The address that a token proves, which is used up by that, however old it is.
async fn used(
    cx: &Cx,
    stores: &Stores,
    identifier: &str,
    token: &str,
) -> Result<Option<EmailAddress>, StoreError> {
    // Made with an older secret, too.
    for hash in cx.site.csrf.hashes(token) {
        let row = stores.ask(stores.tokens.use_verification_token(identifier, &hash)).await?;
        if let Some(row) = row {
            let good = row.expires > cx.visit.now && row.identifier == identifier;
            return Ok(good.then(|| EmailAddress::parse(&row.identifier)).flatten());
        }
    }
    Ok(None)
}

/// The user with this address, or who they would be.
async fn user_of(stores: &Stores, address: &EmailAddress) -> Result<User, StoreError> {
    let known = stores.ask(stores.users.user_by_email(address.as_str())).await?;
    Ok(known.unwrap_or_else(|| User::new(address.as_str()).email(address.as_str())))
}

fn account_of(email: &Email, address: &EmailAddress) -> Account {
    Account::new("email", email.id(), address.as_str())
}

fn failed(cx: &Cx, email: &Email, error: ErrorCode) -> Reply {
    cx.fail(error, Some(email.id()), StatusCode::OK)
}
