//! Sends a link.

use http::StatusCode;

use super::{account_of, asked, failed, user_of};
use crate::{
    callbacks::{Failed, SignInContext},
    cookie::SetCookie,
    error::{BoxError, ErrorCode},
    head::Head,
    mail::{EmailAddress, Mail},
    mailed::{Asked, Code, Place},
    pages,
    provider::{Email, SignInLink},
    reply::Reply,
    routes::{Cx, callback},
    store::{Stores, VerificationToken},
};

pub(in crate::routes) async fn send(cx: &Cx, email: &Email) -> Reply {
    let Some(stores) = &cx.auth.settings.stores else { return failed(cx, email, ErrorCode::Configuration) };
    let typed = cx.body.text("email").unwrap_or_default();
    let Some(address) = normalised(cx, email, typed).await else {
        return failed(cx, email, ErrorCode::EmailSignin);
    };
    if !may_ask(cx, email) {
        tracing::warn!(provider = email.id(), "one source has asked for too many mails");
        return cx.fail(ErrorCode::EmailSignin, Some(email.id()), StatusCode::TOO_MANY_REQUESTS);
    }
    let Ok(user) = user_of(stores, &address).await else { return failed(cx, email, ErrorCode::EmailSignin) };
    let context =
        SignInContext { verification_request: true, ..SignInContext::new(user, account_of(email, &address)) };
    if let Err(refused) = callback::may_sign_in(cx, context).await {
        // Nobody was to be signed in yet, so scripts are told 200, as by Auth.js.
        return refused.told_as(StatusCode::OK).reply(cx, email.id()).await;
    }
    let Ok(cookies) = mailed(cx, stores, email, address).await else {
        return failed(cx, email, ErrorCode::EmailSignin);
    };
    let to = format!("{}/verify-request?provider={}&type=email", cx.base, email.id());
    Reply::redirect(StatusCode::OK, to).with_cookies(cookies)
}

async fn normalised(cx: &Cx, email: &Email, typed: &str) -> Option<EmailAddress> {
    match email.normaliser() {
        Some(normalise) => {
            let callbacks = &cx.auth.settings.callbacks;
            callbacks.run("normalize_identifier", normalise, typed.to_owned()).await.ok()?
        }
        None => EmailAddress::normalise(typed, cx.auth.settings.rules.domain_needs_dot),
    }
}

/// Whether the source of this request may ask for one more mail.
fn may_ask(cx: &Cx, email: &Email) -> bool {
    let source = match email.find_source() {
        Some(find) => find(&cx.parts.headers, &cx.parts.extensions),
        None => cx.auth.source(Head::from(&cx.parts)),
    };
    let (Some(own), limit) = (cx.site.mail.provider(email), email.per_source()) else { return true };
    let Some(source) = source else {
        if limit.count > 0 && own.sources.is_first_unknown() {
            tracing::warn!(
                provider = email.id(),
                "a mail was asked for by a request that does not say where it comes from: how many mails one source \
                 asks for is not limited; put a PeerAddr into the extensions of requests (behind a proxy name it \
                 with OriginPolicy::behind, too), or set Email::source. This is said once"
            );
        }
        return true;
    };
    own.sources.admit(source, limit, cx.visit.now)
}

/// Nothing was sent; why stands in the log.
struct NotSent;

impl<E: Into<BoxError>> From<E> for NotSent {
    fn from(error: E) -> Self {
        tracing::debug!(error = %error.into(), "no mail was sent");
        Self
    }
}

/// Sends the mail, unless its address has had too many; the cookies that tell the browser what it has asked for.
async fn mailed(
    cx: &Cx,
    stores: &Stores,
    email: &Email,
    to: EmailAddress,
) -> Result<Vec<SetCookie>, NotSent> {
    let whose = format!("{} {}", email.id(), to.as_str());
    let Some(place) = Place::take(stores, email.per_address(), &whose, cx.visit.now).await? else {
        tracing::warn!(provider = email.id(), "one address was to be sent too many mails");
        return cookies(cx, email, &as_if_sent(cx, email, &to)?);
    };
    let sent = stored_and_sent(cx, stores, email, to).await;
    if sent.is_err() {
        place.free(stores).await;
    }
    cookies(cx, email, &sent?)
}

/// Whoever looks at the answer does not learn that no mail was sent; and who has asked here before can still type the
/// code of that mail.
fn as_if_sent(cx: &Cx, email: &Email, to: &EmailAddress) -> Result<Asked, NotSent> {
    match asked(cx, email).filter(|asked| asked.email == to.as_str()) {
        Some(asked) => Ok(asked),
        None => new_link(cx, email, to, &cx.site.csrf.new_token()?),
    }
}

fn cookies(cx: &Cx, email: &Email, asked: &Asked) -> Result<Vec<SetCookie>, NotSent> {
    if !email.marks_browser() {
        return Ok(Vec::new());
    }
    Ok(vec![cx.site.mail.asked.set(asked, cx.visit.https, cx.visit.now)?])
}

/// What the browser is to remember of a link with this token.
fn new_link(cx: &Cx, email: &Email, to: &EmailAddress, token: &str) -> Result<Asked, NotSent> {
    let end = cx.visit.now.plus(email.lifetime());
    let hash = cx.site.link_hashes(email, token).next().ok_or("there is no secret")?;
    let code = email.has_code().then(|| Code::new(end, cx.visit.now)).transpose()?;
    Ok(Asked::new(email.id(), to.as_str(), &hash, code, end))
}

/// The token is stored before the mail is sent, and does not stay if that was refused (S50).
async fn stored_and_sent(
    cx: &Cx,
    stores: &Stores,
    email: &Email,
    to: EmailAddress,
) -> Result<Asked, NotSent> {
    let token = new_token(cx, email).await?;
    let asked = new_link(cx, email, &to, &token)?;
    let row = VerificationToken::new(&asked.email, &asked.link, cx.visit.now.plus(email.lifetime()));
    stores.ask(stores.tokens.create_verification_token(&row)).await?;
    let link = SignInLink {
        to,
        url: url(cx, email, &token, &asked.email),
        host: cx.origin.host().to_owned(),
        max_age: email.lifetime(),
        code: asked.code.as_ref().map(|code| code.digits().to_owned()),
    };
    let sent = match written(cx, email, link).await {
        Ok(mail) => cx.auth.settings.callbacks.send(email.mailer(), mail).await,
        Err(failed) => Err(failed),
    };
    if sent.is_err() {
        let _ = stores.ask(stores.tokens.use_verification_token(&asked.email, &asked.link)).await;
        return Err(NotSent);
    }
    Ok(asked)
}

async fn new_token(cx: &Cx, email: &Email) -> Result<String, NotSent> {
    let Some(generate) = email.generator() else { return Ok(cx.site.csrf.new_token()?) };
    let token = cx.auth.settings.callbacks.run("generate_verification_token", generate, ()).await;
    token.ok().filter(|token| !token.is_empty()).ok_or(NotSent)
}

/// The link (`docs/protocol.md` section 8).
fn url(cx: &Cx, email: &Email, token: &str, address: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if cx.auth.settings.rules.link_callback_url {
        query
            .append_pair("callbackUrl", &cx.callback_url)
            .append_pair("token", token)
            .append_pair("email", address);
    } else {
        query.append_pair("email", address).append_pair("token", token);
    }
    format!("{}/callback/{}?{}", cx.base, email.id(), query.finish())
}

async fn written(cx: &Cx, email: &Email, link: SignInLink) -> Result<Mail, Failed> {
    if let Some(write) = email.writer() {
        return cx.auth.settings.callbacks.run("write", write, link).await;
    }
    let (subject, text, html) =
        pages::sign_in_mail(&cx.site.style, &link.host, &link.url, link.code.as_deref());
    Ok(Mail::new(link.to, subject, text, html))
}
