//! What the callbacks are given, and what the store holds afterwards, in the words of the recordings.

use std::sync::{Arc, Mutex};

use portcullis::{
    Account, AuthBuilder, Event, JwtContext, RedirectContext, SignInContext, SignInDecision, Trigger, User,
};
use serde_json::{Map, Value, json};

use super::super::{database::Names, site};
use crate::support::vectors::Vector;

/// A call of a callback.
#[derive(Clone)]
enum Call {
    SignIn(SignInContext),
    Jwt(JwtContext),
    Redirect(RedirectContext),
    Event(Event),
}

/// The calls so far.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    /// Has the callbacks tell of their calls; else they are those of the vector, or none.
    pub(super) fn told_by(&self, builder: AuthBuilder, vector: &Vector) -> AuthBuilder {
        let source = vector.opt_str("config/signIn").map(str::to_owned);
        let [sign_in, jwt, redirect] = [self.clone(), self.clone(), self.clone()];
        builder
            .on_sign_in(move |context| {
                sign_in.push(Call::SignIn(context));
                std::future::ready(source.as_deref().map_or(Ok(SignInDecision::Allow), site::decided))
            })
            .on_jwt(move |context| {
                let token = context.token.clone();
                jwt.push(Call::Jwt(context));
                std::future::ready(Ok(Some(token)))
            })
            .on_redirect(move |context| {
                let RedirectContext { url, base_url, .. } = context.clone();
                redirect.push(Call::Redirect(context));
                let within =
                    url.strip_prefix(&base_url).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                let to = match url.starts_with('/') {
                    true => format!("{base_url}{url}"),
                    false if within => url,
                    false => base_url,
                };
                std::future::ready(Ok(to))
            })
    }

    pub(super) fn hear(&self, event: Event) {
        self.push(Call::Event(event));
    }

    fn push(&self, call: Call) {
        self.0.lock().unwrap().push(call);
    }

    /// The calls since this was last asked.
    pub(super) fn taken(&self, names: &Names) -> Vec<Given> {
        let calls = std::mem::take(&mut *self.0.lock().unwrap());
        calls.into_iter().filter_map(|call| Given::ours(call, names)).collect()
    }
}

/// What a callback or an event is given. What is null or absent is left out: here both are `None`.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) callback: &'static str,
    pub(super) user: Value,
    pub(super) account: Map<String, Value>,
    pub(super) profile: Value,
    /// The token and whatever else is simple, or where to lead.
    pub(super) rest: Value,
}

impl Given {
    pub(super) fn recorded(call: &Value) -> Self {
        let args = &call["args"];
        // In v3 they have places, since then names.
        let arg = |place: usize, name: &str| args.get(place).or(args.get(name)).cloned().unwrap_or_default();
        match call["callback"].as_str().unwrap() {
            "redirect" => Self::redirect(&arg(0, "url"), &arg(1, "baseUrl")),
            "signIn" => Self {
                callback: "signIn",
                user: recorded_user(&arg(0, "user")),
                account: recorded_account(&arg(1, "account")),
                profile: at_this_provider(arg(2, "profile")),
                rest: json!({}),
            },
            "jwt" => Self {
                callback: "jwt",
                user: recorded_user(&arg(1, "user")),
                account: recorded_account(&arg(2, "account")),
                profile: at_this_provider(arg(3, "profile")),
                rest: json!({
                    "token": said(by_uuid(arg(0, "token"), "sub")),
                    "isNewUser": arg(4, "isNewUser"),
                    "trigger": arg(5, "trigger"),
                }),
            },
            name => panic!("this callback has no counterpart yet: {name}"),
        }
    }

    pub(super) fn of_event(event: &Value) -> Self {
        let message = &event["message"];
        match event["event"].as_str().unwrap() {
            // v3 has the user for a message.
            "createUser" => Self {
                callback: "createUser event",
                user: recorded_user(message.get("user").unwrap_or(message)),
                ..Self::default()
            },
            "linkAccount" => Self {
                callback: "linkAccount event",
                user: recorded_user(&message["user"]),
                account: recorded_account(message.get("account").unwrap_or(&message["providerAccount"])),
                profile: message["profile"].clone(),
                ..Self::default()
            },
            "signIn" => Self {
                callback: "signIn event",
                user: recorded_user(&message["user"]),
                account: recorded_account(&message["account"]),
                profile: at_this_provider(message["profile"].clone()),
                rest: json!({ "isNewUser": message["isNewUser"] }),
            },
            name => panic!("this event has no counterpart yet: {name}"),
        }
    }

    /// `None` for an event of our own.
    fn ours(call: Call, names: &Names) -> Option<Self> {
        Some(match call {
            Call::Event(Event::CreateUser { user: made, .. }) => {
                Self { callback: "createUser event", user: user(&made, names), ..Self::default() }
            }
            Call::Event(Event::LinkAccount { user: whose, account: linked, .. }) => Self {
                callback: "linkAccount event",
                user: user(&whose, names),
                account: account(&linked),
                ..Self::default()
            },
            Call::Event(Event::SignIn { user: who, account: how, profile, is_new_user, .. }) => Self {
                callback: "signIn event",
                user: user(&who, names),
                account: account(&how),
                profile: json!(profile),
                rest: json!({ "isNewUser": is_new_user }),
            },
            Call::Event(_) => return None,
            Call::Redirect(context) => Self::redirect(&json!(context.url), &json!(context.base_url)),
            Call::SignIn(context) => Self {
                callback: "signIn",
                user: user(&context.user, names),
                account: account(&context.account),
                profile: json!(context.profile),
                rest: json!({}),
            },
            Call::Jwt(context) => Self {
                callback: "jwt",
                user: context.user.map_or(Value::Null, |given| user(&given, names)),
                account: context.account.as_ref().map(account).unwrap_or_default(),
                profile: json!(context.profile),
                rest: json!({
                    "token": said(by_uuid(named(json!(context.token), names), "sub")),
                    "isNewUser": context.is_new_user,
                    "trigger": match context.trigger {
                        Some(Trigger::SignIn) => "signIn",
                        Some(Trigger::SignUp) => "signUp",
                        Some(Trigger::Update) => "update",
                        _ => "none",
                    },
                }),
            },
        })
    }

    fn redirect(url: &Value, base_url: &Value) -> Self {
        Self { callback: "redirect", rest: json!([url, base_url]), ..Self::default() }
    }
}

/// A user, without the id.
pub(super) fn row(user: &Value) -> Value {
    let mut user = recorded_user(user);
    user.as_object_mut().unwrap().shift_remove("id");
    user
}

pub(super) fn user(user: &User, names: &Names) -> Value {
    let id = names.name_of(&user.id).unwrap_or(&user.id);
    let User { name, email, email_verified, image, extra, .. } = user;
    assert!(extra.is_empty(), "the recorded profiles have nothing else: {extra:?}");
    let verified = email_verified.map(|at| at.as_secs());
    recorded_user(
        &json!({ "id": id, "name": name, "email": email, "image": image, "emailVerified": verified }),
    )
}

fn recorded_user(user: &Value) -> Value {
    said(by_uuid(with_text(user.clone(), "id"), "id"))
}

pub(super) fn account(account: &Account) -> Map<String, Value> {
    let tokens = &account.tokens;
    let mut members = tokens.extra.clone();
    let known = json!({
        "provider": account.provider,
        "type": account.kind,
        "providerAccountId": account.provider_account_id,
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "id_token": tokens.id_token,
        "expires_at": tokens.expires_at,
        "token_type": tokens.token_type,
        "scope": tokens.scope,
        "session_state": tokens.session_state,
    });
    members.extend(said(known).as_object().unwrap().clone());
    signed(members)
}

/// An account as it is recorded. In v3 the members of the provider's answer stand once more in it, by names of the
/// package's own; those that are the same are left out.
pub(super) fn recorded_account(account: &Value) -> Map<String, Value> {
    let said = said(with_text(with_text(account.clone(), "providerAccountId"), "id"));
    let mut members = said.as_object().cloned().unwrap_or_default();
    if let Some(id) = members.shift_remove("id") {
        members.insert("providerAccountId".to_owned(), id);
    }
    for (camel, snake) in
        [("accessToken", "access_token"), ("refreshToken", "refresh_token"), ("idToken", "id_token")]
    {
        if let Some(token) = members.shift_remove(camel) {
            assert_eq!(Some(&token), members.get(snake), "{camel}");
        }
    }
    signed(members)
}

/// The recorded address of the provider has no TLS.
fn at_this_provider(mut profile: Value) -> Value {
    if let Some(issuer) = profile.get_mut("iss") {
        *issuer = json!(issuer.as_str().unwrap().replace("http:", "https:"));
    }
    profile
}

/// Each provider signs with keys of its own.
fn signed(mut account: Map<String, Value>) -> Map<String, Value> {
    if let Some(token) = account.get_mut("id_token") {
        *token = json!(format!("{} parts", token.as_str().unwrap().split('.').count()));
    }
    account
}

/// Claims with the user by the recorded name.
fn named(mut claims: Value, names: &Names) -> Value {
    if let Some(name) = claims["sub"].as_str().and_then(|id| names.name_of(id)) {
        claims["sub"] = json!(name);
    }
    claims
}

/// Without the members that are null.
fn said(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}

/// With a text for a number: ids here are texts, as they are in every table.
fn with_text(mut value: Value, id: &str) -> Value {
    if let Some(id) = value.get_mut(id).filter(|id| id.is_number()) {
        *id = json!(id.to_string());
    }
    value
}

/// With a word for an id that is random.
fn by_uuid(mut value: Value, id: &str) -> Value {
    let is_uuid = |id: &str| id.len() == 36 && id.matches('-').count() == 4;
    if let Some(id) = value.get_mut(id).filter(|id| id.as_str().is_some_and(is_uuid)) {
        *id = json!("random");
    }
    value
}
