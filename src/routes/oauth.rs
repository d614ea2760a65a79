//! Sign-in at a provider: `POST /signin/ID` sends the browser there, `/callback/ID` is where it comes back
//! (`docs/protocol.md` section 7).

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc};

use bytes::{Buf, Bytes};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use serde_json::Value;

use super::{
    Cx,
    callback::{self, Proven},
    fields::{Fields, read_body},
};
use crate::{
    auth::{Auth, Site},
    callbacks::Event,
    cookie::{CookieHeaders, SetCookie},
    error::{BoxError, ErrorCode},
    oauth::{BeganAs, Carrier, LoopbackPort, OAuthClient, OAuthError, PostedForm, Transaction},
    provider::{OAuth, Profile},
    reply::Reply,
    session::{Found, Upstream},
    store::StoreError,
    user::{Account, ProviderTokens, User},
};

/// Sends the browser to the provider.
pub(super) async fn start(cx: &Cx, client: &OAuthClient) -> Reply {
    let provider = &client.provider;
    let began_as = began_as(cx).await;
    let begun = cx.site.oauth.checks.begin(
        provider,
        redirect_uri(cx, provider),
        &cx.callback_url,
        began_as,
        program(cx, provider),
        &carrier(cx),
    );
    let (transaction, cookies) = match begun {
        Ok(begun) => begun,
        Err(error) => return refused(cx, provider, ErrorCode::OAuthSignin, &error).await,
    };
    match client.authorization_url(&transaction, cx.query.texts()).await {
        Ok(url) => Reply::redirect(StatusCode::OK, url).with_cookies(cookies),
        Err(error) => refused(cx, provider, ErrorCode::OAuthSignin, &error).await,
    }
}

/// Takes the provider's answer.
pub(super) async fn finish(cx: &Cx, client: &OAuthClient) -> Reply {
    let provider = &client.provider;
    let answer = match Answer::read(cx, provider) {
        Ok(answer) => answer,
        Err(why) => return refused(cx, provider, ErrorCode::OAuthCallback, &why).await,
    };
    if let Some(url) = passed_on(cx, provider, &answer) {
        return Reply::redirect(StatusCode::OK, url);
    }
    if let Some(error) = answer.field("error") {
        let code = ErrorCode::Provider { code: cx.auth.settings.rules.provider_error };
        return refused(cx, provider, code, &OAuthError::of_answer(error, answer.field("error_description")))
            .await;
    }
    let (transaction, code) = match checked(cx, client, &answer).await {
        Ok(checked) => checked,
        Err(why) => return refused(cx, provider, ErrorCode::OAuthCallback, &why).await,
    };
    match used(cx, &transaction).await {
        Ok(true) => {}
        Ok(false) => {
            let why = "its state was used before";
            return refused(cx, provider, ErrorCode::OAuthCallback, &why).await;
        }
        Err(error) => return refused(cx, provider, ErrorCode::Callback, &error).await,
    }
    let (profile, tokens) = match identified(client, &transaction, code, &answer).await {
        Ok(identified) => identified,
        Err(why) => return refused(cx, provider, exchange_failed(cx), &why).await,
    };
    let cleared = cleared(cx, &transaction);
    match client.user(&profile) {
        Ok(user) => {
            let proven = proven(cx, provider, user, tokens, &profile, &transaction).await;
            callback::finish(cx, &provider.id, proven).await.with_cookies_before(cleared)
        }
        Err(why) => {
            report(cx, provider, ErrorCode::OAuthCallback.as_str(), &why).await;
            Reply::redirect(StatusCode::OK, format!("{}/signin", cx.base)).with_cookies(cleared)
        }
    }
}

/// The program that begins this sign-in and waits for its answer on this port, where such programs are let in.
fn program(cx: &Cx, provider: &OAuth) -> Option<LoopbackPort> {
    let port = LoopbackPort::of(cx.body.text("callbackUrl")?, &callback_path(&cx.site, provider))?;
    // A site that listens there itself would pass the browser on to itself.
    if port.origin() == cx.origin.as_str() {
        return None;
    }
    if !cx.site.oauth.native_clients {
        tracing::warn!(
            provider = %provider.id,
            "a program that is no browser begins a sign-in, and will wait in vain: `.native_clients(true)` lets such \
             programs in"
        );
        return None;
    }
    Some(port)
}

/// Where the program is that waits for this answer, with the answer.
fn passed_on(cx: &Cx, provider: &OAuth, answer: &Answer<'_>) -> Option<String> {
    let state = answer.field("state").filter(|_| cx.site.oauth.native_clients)?;
    let port = cx.site.oauth.checks.awaited_at(state, &carrier(cx))?;
    tracing::debug!(provider = %provider.id, "the answer of a provider is passed on to the program that asked");
    let query = answer.query(provider, state, cx)?;
    Some(format!("{}{}?{query}", port.origin(), callback_path(&cx.site, provider)))
}

fn callback_path(site: &Site, provider: &OAuth) -> String {
    format!("{}/callback/{}", site.base_path, provider.id)
}

/// The provider that this request is a post of. It comes from another site, and is meant to.
pub(super) fn posts_here<B>(site: &Site, request: &Request<B>) -> Option<Arc<OAuth>> {
    let id = site.endpoint(request.uri().path())?.strip_prefix("callback/")?;
    let provider = &site.oauth.client(id)?.provider;
    (*request.method() == Method::POST && provider.form_post).then(|| Arc::clone(provider))
}

/// Answers it with a redirect, which the browser follows with its cookies.
pub(super) async fn take_post<B>(
    auth: &Auth,
    site: &Site,
    provider: &OAuth,
    request: Request<B>,
) -> Response<Bytes>
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let reply = match read_body(&parts.headers, body, site.body_limit).await {
        Ok(form) => {
            // Without a form the request that follows is refused.
            let sealed = match is_spoilt(&form) {
                true => None,
                false => site.oauth.checks.posted().seal(&provider.id, |name| form.text(name), auth.now()),
            };
            let query = sealed.map(|sealed| format!("?{}={sealed}", PostedForm::PARAMETER));
            let path = callback_path(site, provider);
            Reply::redirect(StatusCode::OK, path + &query.unwrap_or_default())
        }
        Err(reply) => reply,
    };
    // The cookies of the browser are not known here, so none is changed.
    reply.into_response(auth.settings.rules, false, Vec::new())
}

/// What a provider has answered: in the query, or in a form that was carried over.
enum Answer<'c> {
    Query(&'c Fields),
    Posted(BTreeMap<String, String>),
}

impl<'c> Answer<'c> {
    fn read(cx: &'c Cx, provider: &OAuth) -> Result<Self, &'static str> {
        let Some(sealed) = cx.query.text(PostedForm::PARAMETER) else {
            return match is_spoilt(&cx.query) {
                true => Err("a parameter is there more than once"),
                false => Ok(Self::Query(&cx.query)),
            };
        };
        let form = cx.site.oauth.checks.posted().open(&provider.id, sealed, cx.visit.now);
        form.map(Self::Posted).ok_or("what was posted was not sealed here, or too long ago")
    }

    /// The same once more, for the program that it is passed on to, which knows by its state what it waits for. The rest is
    /// sealed with that state: whoever listens there instead has no code to put into a sign-in of their own, which PKCE
    /// and `nonce` prevent at some providers only.
    fn query(&self, provider: &OAuth, state: &str, cx: &Cx) -> Option<String> {
        let sealed = match self {
            // `user` is for forms, which come from the provider.
            Self::Query(fields) => cx.site.oauth.checks.posted().seal(
                &provider.id,
                |name| fields.text(name).filter(|_| name != "user"),
                cx.visit.now,
            )?,
            Self::Posted(_) => cx.query.text(PostedForm::PARAMETER)?.to_owned(),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(PostedForm::PARAMETER, &sealed).append_pair("state", state);
        Some(query.finish())
    }

    /// A parameter that is there, and not empty.
    fn field(&self, name: &str) -> Option<&str> {
        self.sent(name).filter(|text| !text.is_empty())
    }

    /// A parameter that is there.
    fn sent(&self, name: &str) -> Option<&str> {
        match self {
            Self::Query(query) => query.text(name),
            Self::Posted(form) => form.get(name).map(String::as_str),
        }
    }
}

/// Whether a parameter of an answer is there more than once (RFC 6749 section 3.1), of which each program might take
/// another one.
fn is_spoilt(fields: &Fields) -> bool {
    PostedForm::FIELDS.iter().any(|name| fields.is_spoilt(name))
}

/// The sign-in that an answer belongs to, and the code that it brings.
async fn checked<'a>(
    cx: &Cx,
    client: &OAuthClient,
    answer: &'a Answer<'_>,
) -> Result<(Transaction, &'a str), Cow<'static, str>> {
    let provider = &client.provider;
    let state = answer.field("state").ok_or("it has no state, or several")?;
    let (redirect_uri, checks) = (redirect_uri(cx, provider), &cx.site.oauth.checks);
    let transaction = checks.find(provider, state, &redirect_uri, &carrier(cx))?;
    client.judge_issuer(answer.sent("iss")).await.map_err(|error| error.to_string())?;
    let code = answer.field("code").ok_or("it has no code, or several")?;
    Ok((transaction, code))
}

/// The code for what goes wrong once the provider is asked.
fn exchange_failed(cx: &Cx) -> ErrorCode {
    if cx.auth.settings.rules.names_exchange { ErrorCode::OAuthCallback } else { ErrorCode::Callback }
}

/// Uses the state up. `false` if it was used before.
async fn used(cx: &Cx, transaction: &Transaction) -> Result<bool, StoreError> {
    let stores = cx.auth.settings.stores.as_ref();
    let (hash, forgotten) = (transaction.hash(), transaction.forgotten());
    cx.site.oauth.used.take(stores, &hash, forgotten, cx.visit.now).await
}

/// Who the provider says that it is.
async fn identified(
    client: &OAuthClient,
    transaction: &Transaction,
    code: &str,
    answer: &Answer<'_>,
) -> Result<(Profile, ProviderTokens), OAuthError> {
    let verifier = transaction.code_verifier.as_deref();
    let grant = client.redeem(code, &transaction.redirect_uri, verifier).await?;
    let posted = match answer {
        Answer::Posted(_) => answer.field("user").and_then(|user| serde_json::from_str::<Value>(user).ok()),
        Answer::Query(_) => None,
    };
    let profile = client.profile(&grant, transaction.nonce.as_deref(), posted).await?;
    Ok((profile, grant.tokens))
}

/// Whom the account belongs to, as far as can be said before the rules of accounts.
async fn proven(
    cx: &Cx,
    provider: &OAuth,
    user: User,
    tokens: ProviderTokens,
    profile: &Profile,
    transaction: &Transaction,
) -> Proven {
    let rules = cx.auth.settings.rules;
    let kind = if rules.names_oidc { provider.protocol.kind() } else { "oauth" };
    let mut account = Account::new(kind, provider.id.clone(), user.id.clone());
    account.tokens = tokens;
    let mut user = user;
    if rules.random_user_id {
        user.id = uuid::Uuid::new_v4().to_string();
    }
    let callback_url = match &transaction.callback_url {
        // It was checked when the sign-in began; the rules may have changed since.
        Some(url) => Some(cx.auth.settings.callbacks.redirect(url, &cx.origin).await),
        None => None,
    };
    let upstream = provider.federated_logout.then(|| {
        let (session, subject) = (profile.text("/sid"), profile.text("/sub"));
        Upstream { provider: provider.id.clone().into_owned(), session, subject }
    });
    Proven {
        profile: Some(profile.members()),
        upstream,
        link_to: link_to(cx, transaction).await,
        callback_url,
        ..Proven::new(user, account)
    }
}

/// The user to link the account to: whoever is signed in now and was when the sign-in began (S38).
async fn link_to(cx: &Cx, transaction: &Transaction) -> Option<String> {
    let now = began_as(cx).await;
    match (now, &transaction.began_as) {
        (BeganAs::User(now), BeganAs::User(then)) if now == *then => Some(now),
        (BeganAs::User(now), BeganAs::Unknown) => Some(now),
        _ => None,
    }
}

/// Who is signed in, if the store knows them.
async fn began_as(cx: &Cx) -> BeganAs {
    let Found::Session(live) = cx.session().await else { return BeganAs::Nobody };
    if live.is_unstored() {
        return BeganAs::Nobody;
    }
    live.subject().map_or(BeganAs::Nobody, |id| BeganAs::User(id.into_owned()))
}

fn redirect_uri(cx: &Cx, provider: &OAuth) -> String {
    format!("{}{}", cx.origin.as_str(), callback_path(&cx.site, provider))
}

/// The request's cookies, for the checks.
fn carrier(cx: &Cx) -> Carrier<'_> {
    let cookies = CookieHeaders::of(&cx.parts.headers);
    Carrier { cookies, https: cx.visit.https, now: cx.visit.now }
}

fn cleared(cx: &Cx, transaction: &Transaction) -> Vec<SetCookie> {
    cx.site.oauth.checks.clear(transaction, &carrier(cx))
}

async fn refused(
    cx: &Cx,
    provider: &Arc<OAuth>,
    error: ErrorCode,
    why: &(impl fmt::Display + ?Sized),
) -> Reply {
    report(cx, provider, error.as_str(), why).await;
    cx.fail(error, Some(&provider.id), StatusCode::OK)
}

/// Tells the operator why, and the application that.
async fn report(cx: &Cx, provider: &OAuth, error: &'static str, why: &(impl fmt::Display + ?Sized)) {
    tracing::warn!(provider = %provider.id, error, "a sign-in at a provider was refused: {why}");
    let event = Event::SignInFailed { provider: provider.id.clone().into_owned(), error };
    cx.auth.settings.callbacks.emit(event).await;
}
