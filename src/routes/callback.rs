//! `/callback/PROVIDER`: where a sign-in is decided (`docs/protocol.md` sections 8 and 9).

use std::borrow::Cow;

use http::StatusCode;

use serde_json::{Map, Value};

#[cfg(feature = "oauth")]
use super::oauth;
use super::{Cx, email};
use crate::{
    auth::{NotStarted, SignIn, Started},
    callbacks::{Event, Failed, SignInContext, SignInDecision},
    dialect::Unsupported,
    error::ErrorCode,
    provider::{Credentials, Provider, Rejection, Submitted},
    reply::Reply,
    session::Upstream,
    user::{Account, User},
};

pub(super) async fn post(cx: &Cx, provider: Option<&str>) -> Reply {
    match provider.and_then(|id| cx.site.provider(id)) {
        Some(Provider::Credentials(credentials)) if cx.is_verified() => sign_in(cx, credentials).await,
        Some(Provider::Credentials(_)) => cx.fail_csrf("signin"),
        Some(Provider::Email(email)) if email.asks_first() || email.has_code() => {
            if cx.is_verified() {
                email::confirmed(cx, email).await
            } else {
                cx.fail_csrf("signin")
            }
        }
        Some(Provider::Email(_)) | None => cx.unsupported(),
        // Those that post have been answered before.
        #[cfg(feature = "oauth")]
        Some(Provider::OAuth(_)) => cx.unsupported(),
    }
}

/// Links are opened, and providers send browsers back; credentials are posted, since a link cannot carry them.
pub(super) async fn get(cx: &Cx, provider: Option<&str>) -> Reply {
    match (provider.and_then(|id| cx.site.provider(id)), cx.auth.settings.rules.unsupported) {
        (Some(Provider::Email(email)), _) => email::open(cx, email).await,
        #[cfg(feature = "oauth")]
        (Some(Provider::OAuth(provider)), _) => match cx.site.oauth.client(&provider.id) {
            Some(client) => oauth::finish(cx, client).await,
            None => cx.unsupported(),
        },
        (Some(Provider::Credentials(_)), Unsupported::Text) => Reply::text(
            StatusCode::METHOD_NOT_ALLOWED,
            "Error: Callback for provider type credentials not supported",
        ),
        (Some(Provider::Credentials(_)) | None, _) => cx.unsupported(),
    }
}

async fn sign_in(cx: &Cx, credentials: &Credentials) -> Reply {
    let submitted = submitted(cx, credentials);
    match authorize(cx, credentials, submitted.clone()).await {
        Ok(user) => {
            let account = Account::credentials(credentials.id(), &user);
            let proven = Proven { credentials: Some(submitted), ..Proven::new(user, account) };
            finish(cx, credentials.id(), proven).await
        }
        Err(refusal) => refusal.reply(cx, credentials.id()).await,
    }
}

/// Who has proved to be whom, and how.
pub(super) struct Proven {
    pub(super) user: User,
    pub(super) account: Account,
    /// What a provider says of them.
    pub(super) profile: Option<Map<String, Value>>,
    pub(super) credentials: Option<Submitted>,
    /// The user who asked for the account to be linked to them.
    pub(super) link_to: Option<String>,
    /// The session at the provider, if signing out is to end both.
    pub(super) upstream: Option<Upstream>,
    /// Where this sign-in wants to go; otherwise where the request does.
    pub(super) callback_url: Option<String>,
}

impl Proven {
    pub(super) fn new(user: User, account: Account) -> Self {
        Self {
            user,
            account,
            profile: None,
            credentials: None,
            link_to: None,
            upstream: None,
            callback_url: None,
        }
    }
}

/// Signs in whoever has proved to be somebody, unless somebody is against it.
pub(super) async fn finish(cx: &Cx, provider: &str, proven: Proven) -> Reply {
    let Proven { user, account, profile, credentials, link_to, upstream, callback_url } = proven;
    let callback_url = callback_url.as_ref().unwrap_or(&cx.callback_url);
    let known = match cx.known_user(&account).await {
        Ok(known) => known.unwrap_or_else(|| user.clone()),
        Err(refusal) => return refusal.reply(cx, provider).await,
    };
    let profile_seen = profile.clone();
    let context =
        SignInContext { credentials, profile: profile_seen, ..SignInContext::new(known, account.clone()) };
    let started = match may_sign_in(cx, context).await {
        Ok(()) => start(cx, SignIn { user, account, profile, link_to, upstream }).await,
        Err(refusal) => Err(refusal),
    };
    match started {
        Ok(Started::Session { cookies, is_new }) => {
            let to = match &cx.site.pages.new_user {
                Some(page) if is_new => cx.with_parameter(page, "callbackUrl", callback_url),
                _ => callback_url.clone(),
            };
            Reply::redirect(StatusCode::OK, to).with_cookies(cookies)
        }
        Ok(Started::Nothing(cookies)) => Reply::redirect(StatusCode::OK, callback_url).with_cookies(cookies),
        Err(refusal) => refusal.reply(cx, provider).await,
    }
}

/// Why nobody was signed in.
pub(super) enum Refusal {
    /// What the client is told, with the status that scripts of v3 and v4 get.
    Error { error: ErrorCode, status: StatusCode },
    /// The `sign_in` callback leads elsewhere.
    Redirect(String),
}

impl Refusal {
    fn unavailable(error: ErrorCode) -> Self {
        Self::Error { error, status: StatusCode::SERVICE_UNAVAILABLE }
    }

    /// The same, told with another status.
    pub(super) fn told_as(self, status: StatusCode) -> Self {
        match self {
            Self::Error { error, .. } => Self::Error { error, status },
            Self::Redirect(to) => Self::Redirect(to),
        }
    }

    pub(super) async fn reply(self, cx: &Cx, provider: &str) -> Reply {
        match self {
            Self::Redirect(to) if cx.auth.settings.rules.judges_sign_in_redirect => {
                let to = cx.auth.settings.callbacks.redirect(&to, &cx.origin).await;
                Reply::redirect(StatusCode::OK, to)
            }
            Self::Redirect(to) => Reply::redirect(StatusCode::OK, cx.absolute(&to)),
            Self::Error { error, status } => {
                let event = Event::SignInFailed { provider: provider.to_owned(), error: error.as_str() };
                cx.auth.settings.callbacks.emit(event).await;
                cx.fail(error, Some(provider), status)
            }
        }
    }
}

/// Asks the `sign_in` callback. One that fails denies.
pub(super) async fn may_sign_in(cx: &Cx, context: SignInContext) -> Result<(), Refusal> {
    let provider = context.account.provider.clone();
    match cx.auth.settings.callbacks.sign_in(context).await {
        Ok(SignInDecision::Allow) => Ok(()),
        Ok(SignInDecision::Redirect(to)) => Err(Refusal::Redirect(to)),
        denied => {
            if denied.is_ok() {
                tracing::warn!(
                    provider,
                    "a sign-in was refused: the `sign_in` callback denied it; if it should not, look at what the \
                     callback was given"
                );
            }
            Err(Refusal::Error { error: ErrorCode::AccessDenied, status: StatusCode::FORBIDDEN })
        }
    }
}

impl Cx {
    /// The user who has an account already, for the `sign_in` callback (`docs/protocol.md` section 7.3 step 7).
    async fn known_user(&self, account: &Account) -> Result<Option<User>, Refusal> {
        let is_provider = matches!(account.kind.as_ref(), "oauth" | "oidc");
        let Some(stores) = self.auth.settings.stores_for(account).filter(|_| is_provider) else {
            return Ok(None);
        };
        let (provider, id) = (&account.provider, &account.provider_account_id);
        let known = stores.ask(stores.users.user_by_account(provider, id)).await;
        known.map_err(|_| Refusal::unavailable(ErrorCode::Callback))
    }
}

async fn start(cx: &Cx, sign_in: SignIn) -> Result<Started, Refusal> {
    // What clients are told of a fault (`docs/protocol.md` sections 11 and 13.1).
    let (fault, creation) = match sign_in.account.kind.as_ref() {
        "credentials" => (ErrorCode::Configuration, "Configuration"),
        "email" => (ErrorCode::Callback, "EmailCreateAccount"),
        _ => (ErrorCode::Callback, "OAuthCreateAccount"),
    };
    let remedy = match sign_in.account.kind.as_ref() {
        "email" => {
            "a mailed link would prove the address of a user who has an account and never proved it; let them sign in as \
             they did before, or set their `email_verified` if it is known to be theirs, or see \
             `LinkingPolicy::VerifiedOnBothSides`"
        }
        _ => {
            "this account, or its e-mail address, is another user's; let them sign in as they did before, and at this \
             provider while they are signed in, or see `AuthBuilder::linking`"
        }
    };
    let provider = sign_in.account.provider.clone();
    // They will have to be ended.
    let Some(before) = cx.all_sessions().await else { return Err(Refusal::unavailable(fault)) };
    let started = cx.auth.start(sign_in, &before, &cx.visit).await;
    started.map_err(|reason| match reason {
        NotStarted::NotLinked => {
            tracing::warn!(provider, "a sign-in was refused (OAuthAccountNotLinked): {remedy}");
            Refusal::Error { error: ErrorCode::AccountNotLinked, status: StatusCode::FORBIDDEN }
        }
        NotStarted::Unavailable => Refusal::unavailable(fault),
        NotStarted::NotCreated => Refusal::unavailable(ErrorCode::CreateAccount { code: creation }),
        NotStarted::Failed | NotStarted::NoStore => {
            Refusal::Error { error: ErrorCode::Configuration, status: StatusCode::INTERNAL_SERVER_ERROR }
        }
    })
}

/// The declared fields that were sent as text, and nothing else.
fn submitted(cx: &Cx, credentials: &Credentials) -> Submitted {
    let typed = credentials
        .fields()
        .iter()
        .filter_map(|field| Some((field.name.to_string(), cx.body.text(&field.name)?.to_owned())));
    Submitted::new(typed, cx.parts.headers.clone())
}

async fn authorize(cx: &Cx, credentials: &Credentials, submitted: Submitted) -> Result<User, Refusal> {
    let wrong = |code: Cow<'static, str>| Refusal::Error {
        error: ErrorCode::CredentialsSignin { code },
        status: StatusCode::UNAUTHORIZED,
    };
    let failed = || Refusal::Error { error: ErrorCode::Configuration, status: StatusCode::UNAUTHORIZED };
    match cx.auth.settings.callbacks.run("authorize", credentials.authorize(), submitted).await {
        Ok(Some(user)) if user.id.is_empty() => {
            tracing::error!("authorize returned a user without an id; the sign-in is refused");
            Err(failed())
        }
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(wrong("credentials".into())),
        Err(Failed::Error(error)) => match error.downcast::<Rejection>() {
            Ok(rejection) => Err(wrong(rejection.code().to_owned().into())),
            Err(_) => Err(failed()),
        },
        Err(Failed::Broken) => Err(failed()),
    }
}
