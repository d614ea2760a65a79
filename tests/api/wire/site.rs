//! The application of a vector: its configuration, its functions in Rust, and what it is told.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthBuilder, AuthLayer, BoxError, Claims, ColorScheme, Credentials, Email, Event, Field,
    JwtContext, Lifetime, OriginPolicy, Pages, Rejection, SessionContext, SessionIds, SignInDecision,
    Submitted, Theme, Trigger, User, get_token,
    mail::{Mail, Mailbox, Mailer},
    store::{MemoryStore, Store},
};
#[cfg(feature = "oauth")]
use portcullis::{Endpoints, OAuth, http_client::HttpError};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use super::database::Names;
#[cfg(feature = "oauth")]
use super::oauth;
use crate::support::{App, DAY, ManualClock, app, vectors::Vector};

/// The names of the events that the application has been told of, as Auth.js has them.
pub(super) type Told = Arc<Mutex<Vec<&'static str>>>;

/// The recorded application. Behind the layer stands a service that answers the claims of the token.
pub(super) struct Site {
    pub(super) app: App,
    pub(super) told: Told,
    pub(super) names: Names,
}

impl Site {
    pub(super) async fn of(vector: &Vector) -> Self {
        let (told, mut names) = (Told::default(), Names::default());
        let hears = Arc::clone(&told);
        let mut builder = Auth::builder(vector.secret())
            .origin(OriginPolicy::fixed(vector.str("base_url")).unwrap())
            .dialect(vector.dialect())
            .clock(ManualClock::at(vector.i64("now")))
            .on_event(move |event| {
                hears.lock().unwrap().extend(name_of(&event));
                std::future::ready(Ok(()))
            });
        builder = with_acme(builder, vector);
        if has_store(vector) {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            names = Names::fill(&store, vector.get("config/db")).await;
            builder = with_store(builder, vector, store);
        }
        builder = builder.provider(credentials(vector));
        for (name, value) in vector.get("config").as_object().unwrap() {
            builder = configure(builder, name, value);
        }
        let app = app(AuthLayer::new(builder.build().unwrap()).layer(service_fn(claims)));
        Self { app, told, names }
    }
}

/// Whether the adapter of the recordings has a part in a case. Everywhere else it would show only in that whoever
/// signs in with a password is not a user of it, which their token says (`docs/hardening.md`, `unstored-users`).
pub(super) fn has_store(vector: &Vector) -> bool {
    let parts = [
        "email/",
        "email_callback/",
        "db/",
        "credentials/db_strategy/",
        "providers/",
        "signin_page/",
        "get/signin/",
    ];
    parts.iter().any(|part| vector.case().starts_with(part))
}

fn with_store(builder: AuthBuilder, vector: &Vector, store: Arc<dyn Store>) -> AuthBuilder {
    let fails = vector.has("config/email_send_fails");
    let mailer: Arc<dyn Mailer> = if fails { Arc::new(Refusing) } else { Arc::new(Mailbox::default()) };
    builder
        .store(store)
        // The recorded rows are those of Node.
        .session_ids(SessionIds::Raw)
        .sessions_in_tokens(vector.str("config/strategy") == "jwt")
        .provider(Email::new(mailer))
}

/// The provider of the recordings. Nobody comes back from there, so it is never asked.
#[cfg(feature = "oauth")]
fn with_acme(builder: AuthBuilder, vector: &Vector) -> AuthBuilder {
    let endpoints = Endpoints::new("https://acme.example/authorize", "https://acme.example/token")
        .userinfo("https://acme.example/me");
    let acme = OAuth::oauth2("acme", endpoints, format!("client-{}", vector.seed()), "client secret");
    builder.provider(oauth::checks(vector, acme.with_name("Acme Inc").scope("user email"))).http_client(
        |request: Request<Bytes>| -> std::future::Ready<Result<Response<Bytes>, HttpError>> {
            panic!("nobody asks {}", request.uri())
        },
    )
}

#[cfg(not(feature = "oauth"))]
fn with_acme(builder: AuthBuilder, _: &Vector) -> AuthBuilder {
    builder
}

#[derive(Debug)]
struct Refusing;

#[async_trait::async_trait]
impl Mailer for Refusing {
    async fn send(&self, _: Mail) -> Result<(), BoxError> {
        Err("no mail today".into())
    }
}

pub(super) async fn claims(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let token = get_token::<Value>(&request).unwrap().map(|token| token.claims);
    Ok(Response::new(Full::new(json!(token).to_string().into())))
}

/// Our own event of a refused sign-in has no counterpart.
pub(super) fn name_of(event: &Event) -> Option<&'static str> {
    match event {
        Event::SignIn { .. } => Some("signIn"),
        Event::SignOut { .. } => Some("signOut"),
        Event::Session { .. } => Some("session"),
        Event::CreateUser { .. } => Some("createUser"),
        Event::UpdateUser { .. } => Some("updateUser"),
        Event::LinkAccount { .. } => Some("linkAccount"),
        _ => None,
    }
}

fn configure(builder: AuthBuilder, name: &str, value: &Value) -> AuthBuilder {
    match (name, value) {
        // Part of the store, and of `acme`.
        ("strategy" | "adapter" | "checks" | "db", _) => builder,
        // Part of the provider.
        ("authorize_throws" | "authorize_returns" | "email_send_fails", _) => builder,
        ("session", Value::String(source)) => on_session(builder, source),
        ("session", _) => builder.lifetime(lifetime(value)),
        ("jwt", Value::String(source)) => on_jwt(builder, source),
        ("signIn", Value::String(source)) => on_sign_in(builder, source),
        ("pages", _) => builder.pages(pages(value)),
        ("theme", _) => builder.theme(theme(value)),
        _ => panic!("this setting has no counterpart yet: {name} = {value}"),
    }
}

fn lifetime(value: &Value) -> Lifetime {
    let seconds = |name: &str| value[name].as_u64().map(Duration::from_secs);
    let max_age = seconds("maxAge").unwrap_or(30 * DAY);
    Lifetime::new(max_age, seconds("updateAge").unwrap_or(max_age.min(DAY))).unwrap()
}

pub(super) fn pages(value: &Value) -> Pages {
    value.as_object().unwrap().iter().fold(Pages::new(), |pages, (name, page)| {
        let page = page.as_str().unwrap();
        match name.as_str() {
            "signIn" => pages.sign_in(page),
            "signOut" => pages.sign_out(page),
            "error" => pages.error(page),
            "verifyRequest" => pages.verify_request(page),
            "newUser" => pages.new_user(page),
            _ => panic!("this page has no counterpart yet: {name}"),
        }
    })
}

/// v3 has a scheme only.
fn theme(value: &Value) -> Theme {
    let scheme = value.as_str().or(value["colorScheme"].as_str());
    assert_eq!(scheme, Some("dark"), "this theme has no counterpart yet: {value}");
    let mut theme = Theme::new().color_scheme(ColorScheme::Dark);
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    if let Some(logo) = text("logo") {
        theme = theme.logo(logo);
    }
    if let Some(color) = text("brandColor") {
        theme = theme.brand_color(color);
    }
    if let Some(color) = text("buttonText") {
        theme = theme.button_text(color);
    }
    theme
}

fn credentials(vector: &Vector) -> Credentials {
    let (seed, throws) = (vector.seed(), vector.opt_str("config/authorize_throws").map(str::to_owned));
    let returns = vector.get("config/authorize_returns").clone();
    let authorize =
        move |form: Submitted| std::future::ready(authorize(&form, seed, throws.as_deref(), &returns));
    Credentials::new(authorize)
        .field(Field::text("username", "Username").placeholder("jsmith"))
        .field(Field::password("password", "Password"))
}

fn authorize(
    form: &Submitted,
    seed: i64,
    throws: Option<&str>,
    returns: &Value,
) -> Result<Option<User>, BoxError> {
    match throws {
        None if form.get("password") != Some("right") => Ok(None),
        None if !returns.is_null() => Ok(Some(user_of(returns))),
        None => Ok(Some(
            User::new((42 + seed).to_string())
                .name("Cred User")
                .email("cred@example.com")
                .image("https://img.example/c.png"),
        )),
        Some(r#"() => new Error("Bad things & more")"#) => Err("Bad things & more".into()),
        Some(source) if source.contains("new ctx.CredentialsSignin()") => {
            Err(Rejection::new(format!("custom_{seed}")).into())
        }
        Some(source) => panic!("this authorize has no counterpart yet: {source}"),
    }
}

fn user_of(value: &Value) -> User {
    let user = User::new(value["id"].as_str().unwrap_or_default());
    match value["name"].as_str() {
        Some(name) => user.name(name),
        None => user,
    }
}

pub(super) fn on_sign_in(builder: AuthBuilder, source: &str) -> AuthBuilder {
    let source = source.to_owned();
    builder.on_sign_in(move |_| std::future::ready(decided(&source)))
}

/// What a recorded `signIn` answers.
pub(super) fn decided(source: &str) -> Result<SignInDecision, BoxError> {
    if source == "() => false" {
        return Ok(SignInDecision::Deny);
    }
    let within = |head: &str, tail: &str| Some(source.strip_prefix(head)?.strip_suffix(tail)?.to_owned());
    if let Some(to) = within("() => \"", "\"") {
        return Ok(SignInDecision::Redirect(to));
    }
    match within("() => { throw new Error(\"", "\") }") {
        Some(message) => Err(message.into()),
        None => panic!("this signIn has no counterpart yet: {source}"),
    }
}

fn on_session(builder: AuthBuilder, source: &str) -> AuthBuilder {
    match source {
        "async ({ session, token }) => ({ ...session, user: { ...session.user, id: token.sub } })"
        | "async (s, t) => ({ ...s, user: { ...s.user, id: t.sub } })" => {
            builder.on_session(async |SessionContext { mut session, token, .. }| {
                session.user.insert("id", token.subject().unwrap().into_owned());
                Ok(session)
            })
        }
        "async (p) => ({ ...(p.session ?? p), trigger: p.trigger ?? null, newSession: p.newSession ?? null })" => {
            builder.on_session(async |SessionContext { mut session, trigger, new_session, .. }| {
                let update = trigger == Some(Trigger::Update);
                session.extra.insert("trigger".to_owned(), json!(update.then_some("update")));
                session.extra.insert("newSession".to_owned(), json!(new_session));
                Ok(session)
            })
        }
        _ => panic!("this session callback has no counterpart yet: {source}"),
    }
}

fn on_jwt(builder: AuthBuilder, source: &str) -> AuthBuilder {
    let change: fn(JwtContext) -> Option<Claims> = match source {
        r#"async () => { throw new Error("jwt boom") }"# => {
            return builder.on_jwt(async |_| Err("jwt boom".into()));
        }
        "async () => null" => |_| None,
        r#"async ({ token }) => ({ ...token, blob: "z".repeat(6000) })"# => {
            |mut context| with(&mut context, &[("blob", "z".repeat(6000).into())])
        }
        r#"async ({ token, trigger }) => ({ ...token, extra: 1, trigger: trigger ?? "none" })"# => {
            |mut context| {
                let trigger = trigger(&context).into();
                with(&mut context, &[("extra", 1.into()), ("trigger", trigger)])
            }
        }
        "async (t) => ({ ...t, extra: 1 })" => |mut context| with(&mut context, &[("extra", 1.into())]),
        r#"async (p) => (p.trigger === "update" ? { ...p.token, name: p.session?.name ?? "?", seen: p.session } : p.token ?? p)"# => {
            |mut context| {
                let seen = context.session.clone().unwrap_or_default();
                let name = seen.get("name").cloned().unwrap_or("?".into());
                with(&mut context, &[("name", name), ("seen", seen)])
            }
        }
        r#"async (p) => ({ ...(p.token ?? p), trig: p.trigger ?? "none" })"# => |mut context| {
            let trigger = trigger(&context).into();
            with(&mut context, &[("trig", trigger)])
        },
        "async (p) => ({ ...(p.token ?? p), seen: p.session ?? null })" => |mut context| {
            let seen = context.session.clone().unwrap_or_default();
            with(&mut context, &[("seen", seen)])
        },
        _ => panic!("this jwt callback has no counterpart yet: {source}"),
    };
    builder.on_jwt(move |context| std::future::ready(Ok(change(context))))
}

fn with(context: &mut JwtContext, members: &[(&str, Value)]) -> Option<Claims> {
    for (name, value) in members {
        context.token.insert(*name, value.clone());
    }
    Some(context.token.clone())
}

fn trigger(context: &JwtContext) -> &'static str {
    match context.trigger {
        Some(Trigger::Update) => "update",
        Some(Trigger::SignIn) => "signIn",
        _ => "none",
    }
}
