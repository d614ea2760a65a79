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
    JwtContext, Lifetime, OriginPolicy, Pages, Rejection, SessionContext, SignInDecision, Submitted, Theme,
    Trigger, User, get_token,
    mail::{Mail, Mailbox, Mailer},
    store::MemoryStore,
};
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use crate::support::{App, DAY, ManualClock, app, vectors::Vector};

/// The names of the events that the application has been told of, as Auth.js has them.
pub(super) type Told = Arc<Mutex<Vec<&'static str>>>;

/// The recorded application. Behind the layer stands a service that answers the claims of the token.
pub(super) fn build(vector: &Vector) -> (App, Told) {
    let told = Told::default();
    let hears = Arc::clone(&told);
    let mut builder = Auth::builder(vector.secret())
        .origin(OriginPolicy::fixed(vector.str("base_url")).unwrap())
        .dialect(vector.dialect())
        .clock(ManualClock::at(vector.i64("now")))
        .provider(credentials(vector))
        .on_event(move |event| {
            hears.lock().unwrap().extend(name_of(&event));
            std::future::ready(Ok(()))
        });
    if vector.case().starts_with("email/") {
        let fails = vector.has("config/email_send_fails");
        let mailer: Arc<dyn Mailer> = if fails { Arc::new(Refusing) } else { Arc::new(Mailbox::default()) };
        builder = builder.store(MemoryStore::new()).sessions_in_tokens(true).provider(Email::new(mailer));
    }
    for (name, value) in vector.get("config").as_object().unwrap() {
        builder = configure(builder, name, value);
    }
    (app(AuthLayer::new(builder.build().unwrap()).layer(service_fn(claims))), told)
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
        Event::LinkAccount { .. } => Some("linkAccount"),
        _ => None,
    }
}

fn configure(builder: AuthBuilder, name: &str, value: &Value) -> AuthBuilder {
    match (name, value) {
        ("strategy", _) if value == "jwt" => builder,
        // For providers that are not here.
        ("adapter" | "checks", _) => builder,
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
    let max_age = Duration::from_secs(value["maxAge"].as_u64().unwrap());
    Lifetime::new(max_age, max_age.min(DAY)).unwrap()
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
    if source == "() => false" {
        return builder.on_sign_in(async |_| Ok(SignInDecision::Deny));
    }
    let within = |head: &str, tail: &str| Some(source.strip_prefix(head)?.strip_suffix(tail)?.to_owned());
    if let Some(to) = within("() => \"", "\"") {
        return builder.on_sign_in(move |_| std::future::ready(Ok(SignInDecision::Redirect(to.clone()))));
    }
    let Some(message) = within("() => { throw new Error(\"", "\") }") else {
        panic!("this signIn has no counterpart yet: {source}")
    };
    builder.on_sign_in(move |_| std::future::ready(Err(message.clone().into())))
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
