//! The recorded calls of the npm clients, made with ours.

use std::sync::{Arc, Mutex};

use http::Method;
use portcullis::{
    Dialect,
    client::{
        Client, ClientBuilder, ClientError, ClientSafeProvider, CookieJar, Session, SessionProvider,
        SessionState, SessionStatus, SignIn, SignInOptions, SignOutOptions,
    },
};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    replies::{Asked, Replies, Reply, idle},
    support::{
        ORIGIN,
        findings::Findings,
        vectors::{Vector, load},
    },
    time::Time,
};

/// Where the browser was.
const PAGE: &str = "http://localhost:3000/page?x=1";

/// Makes each recorded call, with a client that knows the dialect or finds it out, and notes what was different.
pub async fn replay(knows_dialect: bool) -> Findings {
    let mut findings = Findings::default();
    for vector in load("clients") {
        findings.cases += 1;
        let call = Call::new(&vector, knows_dialect);
        let did = call.make().await;
        let asked_for_token = did.requests.iter().any(|sent| sent.target.ends_with("/csrf"));
        recorded(&vector).compare(&did, vector.case(), &mut findings);
        if asked_for_token && !knows_dialect {
            let shown = if vector.dialect() == Dialect::V5 { Dialect::V5 } else { Dialect::V4 };
            assert_eq!(call.client.dialect(), Some(shown), "{}", vector.id());
        }
    }
    findings
}

/// What a call does.
#[derive(Debug, Default)]
struct Deeds {
    requests: Vec<Sent>,
    /// What it answers.
    value: Value,
    /// Where the browser goes.
    location: Option<String>,
    /// Whether it says that it failed: on the console, by throwing, or with an error.
    fails: bool,
    /// Whether it tells others that the session may be another one.
    announces: bool,
}

#[derive(Debug)]
struct Sent {
    method: Method,
    /// Without a `?` after which there is nothing.
    target: String,
    content_type: Option<String>,
    return_redirect: Option<String>,
    body: Body,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Nothing,
    Form(Vec<(String, String)>),
    Json(Value),
}

impl Deeds {
    fn compare(&self, ours: &Self, case: &str, findings: &mut Findings) {
        let (told, asked): (Vec<_>, Vec<_>) = self.requests.iter().partition(|sent| sent.is_log());
        let (our_told, our_asked): (Vec<_>, Vec<_>) = ours.requests.iter().partition(|sent| sent.is_log());
        let lines = |sent: &[&Sent]| -> Vec<_> {
            sent.iter().map(|sent| (sent.method.clone(), sent.target.clone())).collect()
        };
        let types =
            |sent: &[&Sent]| -> Vec<_> { sent.iter().map(|sent| sent.content_type.clone()).collect() };
        let wants =
            |sent: &[&Sent]| -> Vec<_> { sent.iter().map(|sent| sent.return_redirect.clone()).collect() };
        let bodies = |sent: &[&Sent]| -> Vec<_> { sent.iter().map(|sent| sent.body.clone()).collect() };
        findings.compare(case, "requests", lines(&asked), lines(&our_asked));
        findings.compare(case, "content types", types(&asked), types(&our_asked));
        findings.compare(case, "X-Auth-Return-Redirect", wants(&asked), wants(&our_asked));
        findings.compare(case, "bodies", bodies(&asked), bodies(&our_asked));
        findings.compare(case, "log", format!("{told:?}"), format!("{our_told:?}"));
        findings.compare(case, "value", without_nulls(&self.value), without_nulls(&ours.value));
        findings.compare(case, "location", &self.location, &ours.location);
        findings.compare(case, "failure", self.fails, ours.fails);
        findings.compare(case, "announcement", self.announces, ours.announces);
    }
}

impl Sent {
    fn is_log(&self) -> bool {
        self.target.ends_with("/_log")
    }

    fn ours(asked: &Asked) -> Self {
        let text = |name: &str| asked.header(name).map(str::to_owned);
        Self {
            method: asked.method.clone(),
            target: asked.uri.path_and_query().unwrap().to_string(),
            content_type: text("content-type"),
            return_redirect: text("x-auth-return-redirect"),
            body: Body::read(std::str::from_utf8(&asked.body).unwrap()),
        }
    }

    fn recorded(request: &Value) -> Self {
        let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Self {
            method: request["method"].as_str().unwrap().parse().unwrap(),
            target: request["url"].as_str().unwrap().trim_end_matches('?').to_owned(),
            content_type: text("/headers/Content-Type"),
            return_redirect: text("/headers/X-Auth-Return-Redirect"),
            body: Body::read(&text("/body").unwrap_or_default()),
        }
    }
}

impl Body {
    fn read(text: &str) -> Self {
        match text.as_bytes().first() {
            None => Self::Nothing,
            Some(b'{') => Self::Json(serde_json::from_str(text).unwrap()),
            Some(_) => Self::Form(form_urlencoded::parse(text.as_bytes()).into_owned().collect()),
        }
    }
}

/// What the npm client did.
fn recorded(vector: &Vector) -> Deeds {
    let effects = vector.list("effects");
    let effect = |name: &str| effects.iter().find_map(|effect| effect.get(name));
    let location = effect("location.href=").or(effect("location.replace")).and_then(Value::as_str);
    let throws = vector.has("outcome/threw");
    let value = match vector.get("outcome/returned") {
        // A call that leads elsewhere answers whatever the assignment does.
        _ if location.is_some() && !vector.case().contains("/SessionProvider/") => Value::Null,
        // An update that throws leaves the session as it was.
        _ if throws && vector.case().contains("/update/") => {
            json!({ "after": { "status": "authenticated", "data": vector.get("server_replies/session/body") } })
        }
        value => undefined_as_null(value),
    };
    Deeds {
        requests: vector.list("requests").iter().map(Sent::recorded).collect(),
        value,
        location: location.map(resolved),
        fails: throws || effect("console.error").is_some(),
        announces: effect("localStorage.setItem").or(effect("BroadcastChannel")).is_some(),
    }
}

/// A call that was recorded, with the server that answers it.
struct Call<'v> {
    vector: &'v Vector,
    replies: Replies,
    time: Time,
    jar: CookieJar,
    client: Client,
}

impl<'v> Call<'v> {
    fn new(vector: &'v Vector, knows_dialect: bool) -> Self {
        let replies = Replies::default();
        for (endpoint, reply) in vector.get("server_replies").as_object().unwrap() {
            let status = reply["status"].as_u64().unwrap_or(200);
            let mut known = Reply::json(&reply["body"]).with_status(u16::try_from(status).unwrap());
            if endpoint == "csrf" {
                let token = reply["body"]["csrfToken"].as_str().unwrap_or_default();
                known = known.with_cookie(&csrf_cookie(vector.dialect(), token));
            }
            replies.set(endpoint, known);
        }
        let (time, jar) = (Time::at_noon(), CookieJar::new());
        let mut client = builder(&replies, &time, &jar);
        if knows_dialect {
            client = client.dialect(vector.dialect());
        }
        if vector.case().ends_with("/basePath") {
            client = client.base_path("/custom");
        }
        Self { vector, client: client.build().unwrap(), replies, time, jar }
    }

    async fn make(&self) -> Deeds {
        let (_, call) = self.vector.case().split_once('/').unwrap();
        let mut deeds = match call.split_once('/').unwrap_or((call, "")) {
            ("event", "storage") => return self.hear_of_another().await,
            ("getSession", _) => self.listened(async || self.get_session().await).await,
            ("getCsrfToken", _) => {
                self.listened(async || Deeds::of(self.client.get_csrf_token().await.map(Value::from))).await
            }
            ("getProviders", _) => {
                let providers = async || self.client.get_providers().await.map(providers);
                self.listened(async || Deeds::of(providers().await)).await
            }
            ("signIn", case) => self.listened(async || self.sign_in(case).await).await,
            ("signOut", case) => self.listened(async || self.sign_out(case).await).await,
            ("SessionProvider", case) => self.listened(async || self.mount(case).await).await,
            ("update", case) => self.listened(async || self.update(case).await).await,
            ("event", "visibilitychange") => self.listened(async || self.come_back().await).await,
            (call, case) => panic!("nobody knows how {call} {case} is called"),
        };
        deeds.requests = self.replies.asked().iter().map(Sent::ours).collect();
        deeds
    }

    /// Does `act` while another application over the same jar listens.
    async fn listened(&self, act: impl AsyncFnOnce() -> Deeds) -> Deeds {
        let others = Replies::new();
        let listener = self.other(&others);
        let _listening = SessionProvider::builder(listener).session(None).start().unwrap();
        idle().await;
        let deeds = act().await;
        idle().await;
        Deeds { announces: others.reads() > 0, ..deeds }
    }

    fn other(&self, replies: &Replies) -> Client {
        builder(replies, &self.time, &self.jar).build().unwrap()
    }

    async fn get_session(&self) -> Deeds {
        Deeds::of(self.client.get_session().await.map(|session| json!(session)))
    }

    async fn sign_in(&self, case: &str) -> Deeds {
        let options = SignInOptions::new();
        let typed = options.clone().field("username", "u").field("password", "p").redirect(false);
        let (provider, options, params) = match case {
            "no_provider" => (None, options, &[][..]),
            "no_provider_callbackUrl" => (None, options.callback_url("/cb"), &[][..]),
            "unknown_provider" => (Some("unknown"), options, &[][..]),
            "providers_down" | "oauth" => (Some("acme"), options, &[][..]),
            "oauth_callback_and_params" => (
                Some("acme"),
                options.callback_url("http://localhost:3000/after"),
                &[("prompt", "login"), ("scope", "a b")][..],
            ),
            "oauth_redirect_false" => (Some("acme"), options.redirect(false), &[][..]),
            "email" => (Some("email"), options.field("email", "a@example.com"), &[][..]),
            "email_redirect_false" => {
                (Some("email"), options.field("email", "a@example.com").redirect(false), &[][..])
            }
            "email_redirect_false_error" => {
                (Some("email"), options.field("email", "bad").redirect(false), &[][..])
            }
            "credentials" => {
                (Some("credentials"), options.field("username", "u").field("password", "p w&é"), &[][..])
            }
            "credentials_redirect_false_ok" => (Some("credentials"), typed.callback_url("/dash"), &[][..]),
            "credentials_redirect_false_error" => (Some("credentials"), typed, &[][..]),
            "credentials_undefined_field" => (
                Some("credentials"),
                options.field("username", "u").field("otp", "undefined").redirect(false),
                &[][..],
            ),
            "credentials_redirect_false_relative_url" => {
                (Some("credentials"), options.redirect(false), &[][..])
            }
            "credentials_params" => (Some("credentials"), options.redirect(false), &[("foo", "bar")][..]),
            "hash_url" | "no_url_in_reply" => (Some("credentials"), options, &[][..]),
            "credentials_redirectTo" => {
                (Some("credentials"), options.field("password", "x").redirect_to("/to"), &[][..])
            }
            case => panic!("nobody knows what signIn was given for {case}"),
        };
        match self.client.sign_in(provider, options, params).await {
            Ok(SignIn::Redirect(url)) => Deeds { location: Some(url), ..Deeds::default() },
            Ok(SignIn::Response(response)) => Deeds::of(Ok(json!({
                "error": response.error,
                "code": response.code,
                "status": response.status.as_u16(),
                "ok": response.ok,
                "url": response.url,
            }))),
            Err(error) => Deeds::of(Err(error)),
        }
    }

    async fn sign_out(&self, case: &str) -> Deeds {
        let options = match case {
            "" | "redirect_false" => SignOutOptions::new(),
            "callbackUrl" | "no_url" => SignOutOptions::new().callback_url("/bye"),
            case => panic!("nobody knows what signOut was given for {case}"),
        };
        match self.client.sign_out(options).await {
            Ok(url) if case == "redirect_false" => Deeds::of(Ok(json!({ "url": url }))),
            Ok(url) => Deeds { location: Some(url), ..Deeds::default() },
            Err(error) => Deeds::of(Err(error)),
        }
    }

    async fn mount(&self, case: &str) -> Deeds {
        let location = Arc::new(Mutex::new(None));
        let called = Arc::clone(&location);
        let builder = SessionProvider::builder(self.client.clone());
        let builder = match case {
            "initial_session" => builder.session(self.session()),
            "initial_null" => builder.session(None),
            "required_unauthenticated" => {
                builder.required(move |url: &str| *called.lock().unwrap() = Some(url.to_owned()))
            }
            "mount_fetches" | "mount_none_empty_object" | "mount_none_null" | "basePath" => builder,
            case => panic!("nobody knows what SessionProvider was given for {case}"),
        };
        let provider = builder.start().unwrap();
        idle().await;
        Deeds { location: location.lock().unwrap().take(), ..Deeds::of_state(&provider.state()) }
    }

    async fn update(&self, case: &str) -> Deeds {
        let provider = self.provider();
        let data = match case {
            "data" => Some(json!({ "name": "upd" })),
            "no_argument" => None,
            "server_400" | "while_unauthenticated" => Some(json!({ "a": 1 })),
            case => panic!("nobody knows what update was given for {case}"),
        };
        let updated = provider.update(data).await;
        let after = Deeds::of_state(&provider.state()).value;
        let fails = updated.is_err();
        let returned = updated.ok().flatten().map(|session| json!(*session));
        Deeds { fails, ..Deeds::of(Ok(json!({ "returned": returned, "after": after }))) }
    }

    async fn come_back(&self) -> Deeds {
        let provider = self.provider();
        self.time.pass(60);
        provider.focus().await;
        Deeds::of_state(&provider.state())
    }

    /// The other one listens from when it has spoken.
    async fn hear_of_another(&self) -> Deeds {
        let provider = self.provider();
        self.replies.hold("session");
        self.other(&Replies::new()).get_session().await.unwrap();
        self.replies.until_reads(1).await;
        let act = async || {
            self.replies.release();
            idle().await;
            Deeds::of_state(&provider.state())
        };
        let deeds = self.listened(act).await;
        Deeds { requests: self.replies.asked().iter().map(Sent::ours).collect(), ..deeds }
    }

    /// One that was given the session that the server has.
    fn provider(&self) -> SessionProvider {
        SessionProvider::builder(self.client.clone()).session(self.session()).start().unwrap()
    }

    fn session(&self) -> Option<Session> {
        let body = self.vector.get("server_replies/session/body");
        body.get("user").map(|_| serde_json::from_value(body.clone()).unwrap())
    }
}

impl Deeds {
    fn of(answer: Result<Value, ClientError>) -> Self {
        Self { fails: answer.is_err(), value: answer.unwrap_or_default(), ..Self::default() }
    }

    fn of_state(state: &SessionState) -> Self {
        let status = match state.status {
            SessionStatus::Loading => "loading",
            SessionStatus::Authenticated => "authenticated",
            SessionStatus::Unauthenticated => "unauthenticated",
        };
        let value = json!({ "status": status, "data": state.data.as_deref() });
        Self { value, fails: state.error.is_some(), ..Self::default() }
    }
}

fn builder(replies: &Replies, time: &Time, jar: &CookieJar) -> ClientBuilder {
    Client::builder(ORIGIN)
        .callback_url(PAGE)
        .clock(time.clone())
        .http_client(replies.http())
        .jar(jar.clone())
}

/// What shows the generation of a server on localhost.
fn csrf_cookie(dialect: Dialect, token: &str) -> String {
    let stem = if dialect == Dialect::V5 { "authjs" } else { "next-auth" };
    format!("{stem}.csrf-token={token}%7Chash; Path=/; HttpOnly; SameSite=Lax")
}

fn providers(providers: Vec<ClientSafeProvider>) -> Value {
    let by_id = providers.into_iter().map(|provider| {
        let ClientSafeProvider { id, name, kind, signin_url, callback_url, .. } = provider;
        let value =
            json!({ "id": id, "name": name, "type": kind, "signinUrl": signin_url, "callbackUrl": callback_url });
        (id, value)
    });
    Value::Object(by_id.collect::<Map<_, _>>())
}

fn resolved(location: &str) -> String {
    Url::parse(PAGE).unwrap().join(location).unwrap().into()
}

/// JavaScript's `undefined` was recorded as text.
fn undefined_as_null(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), undefined_as_null(value)));
            Value::Object(members.collect())
        }
        Value::String(text) if text == "undefined" => Value::Null,
        value => value.clone(),
    }
}

/// A member that is `null` is one that is not there.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        value => value.clone(),
    }
}
