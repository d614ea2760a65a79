//! `/callback/PROVIDER`: where a sign-in is decided (`docs/protocol.md` section 9).

use std::borrow::Cow;

use http::StatusCode;

use super::Cx;
use crate::{
    auth::{NotStarted, Started},
    callbacks::{Event, Failed, SignInContext, SignInDecision},
    dialect::Unsupported,
    error::ErrorCode,
    provider::{Credentials, Provider, Rejection, Submitted},
    reply::Reply,
    session::Found,
    user::{Account, User},
};

pub(super) async fn post(cx: &Cx, provider: Option<&str>) -> Reply {
    match provider.and_then(|id| cx.site.provider(id)) {
        Some(Provider::Credentials(credentials)) if cx.is_verified() => sign_in(cx, credentials).await,
        Some(Provider::Credentials(_)) => cx.fail_csrf("signin"),
        None => cx.unsupported(),
    }
}

/// Credentials are posted; a link cannot carry them.
pub(super) fn get(cx: &Cx, provider: Option<&str>) -> Reply {
    match (provider.and_then(|id| cx.site.provider(id)), cx.auth.settings.rules.unsupported) {
        (Some(Provider::Credentials(_)), Unsupported::Text) => Reply::text(
            StatusCode::METHOD_NOT_ALLOWED,
            "Error: Callback for provider type credentials not supported",
        ),
        _ => cx.unsupported(),
    }
}

async fn sign_in(cx: &Cx, credentials: &Credentials) -> Reply {
    match try_sign_in(cx, credentials).await {
        Ok(reply) => reply,
        Err(Refusal { error, status }) => {
            let event = Event::SignInFailed { provider: credentials.id().to_owned(), error: error.as_str() };
            cx.auth.settings.callbacks.emit(event).await;
            cx.fail(error, Some(credentials.id()), status)
        }
    }
}

/// Why nobody was signed in, and the status that scripts of v3 and v4 are told.
struct Refusal {
    error: ErrorCode,
    status: StatusCode,
}

async fn try_sign_in(cx: &Cx, credentials: &Credentials) -> Result<Reply, Refusal> {
    let submitted = submitted(cx, credentials);
    let user = authorize(cx, credentials, submitted.clone()).await?;
    let account = Account::credentials(credentials.id(), &user);
    let context =
        SignInContext { user: user.clone(), account: account.clone(), credentials: Some(submitted) };
    match cx.auth.settings.callbacks.sign_in(context).await {
        Ok(SignInDecision::Allow) => {}
        Ok(SignInDecision::Redirect(to)) => return Ok(Reply::redirect(StatusCode::OK, cx.absolute(&to))),
        // A callback that fails denies.
        Ok(SignInDecision::Deny) | Err(_) => {
            return Err(Refusal { error: ErrorCode::AccessDenied, status: StatusCode::FORBIDDEN });
        }
    }
    let before = match cx.session().await {
        Found::Session(live) => Some(live),
        Found::Nobody | Found::Disputed => None,
        // It would have to be ended, and cannot be.
        Found::Later(_) | Found::Unavailable => return Err(unavailable()),
    };
    let started = cx.auth.start(user, account, before.as_ref(), &cx.visit).await.map_err(refusal)?;
    let (Started::Session(cookies) | Started::Nothing(cookies)) = started;
    Ok(Reply::redirect(StatusCode::OK, &cx.callback_url).with_cookies(cookies))
}

fn refusal(reason: NotStarted) -> Refusal {
    match reason {
        NotStarted::NotLinked => {
            Refusal { error: ErrorCode::AccountNotLinked, status: StatusCode::FORBIDDEN }
        }
        NotStarted::Unavailable => unavailable(),
        NotStarted::Failed => {
            Refusal { error: ErrorCode::Configuration, status: StatusCode::INTERNAL_SERVER_ERROR }
        }
    }
}

fn unavailable() -> Refusal {
    Refusal { error: ErrorCode::Configuration, status: StatusCode::SERVICE_UNAVAILABLE }
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
    let wrong = |code: Cow<'static, str>| Refusal {
        error: ErrorCode::CredentialsSignin { code },
        status: StatusCode::UNAUTHORIZED,
    };
    let failed = || Refusal { error: ErrorCode::Configuration, status: StatusCode::UNAUTHORIZED };
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
