//! The application of a vector, its database, and who is signed in there.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use portcullis::{
    Account, Auth, AuthBuilder, AuthLayer, ClientAuthentication, Endpoints, LinkingPolicy, OAuth,
    OriginPolicy, ProfileMap, User,
    store::{MemoryStore, SessionKey, Store, UserStore},
};
use serde_json::Value;
use tower::{Layer, service_fn};

use super::{
    super::{
        authorization::{is_check, parts},
        database::Names,
        response::Set,
        site::{self, Told},
    },
    given::{Calls, Given},
    provider::{Provider, client_id},
    rows::{self, Rows},
};
use crate::{
    gate::Gate,
    support::{App, Browser, ManualClock, app, vectors::Vector},
};

pub(super) struct World {
    pub(super) app: App,
    pub(super) clock: ManualClock,
    pub(super) told: Told,
    pub(super) provider: Provider,
    pub(super) calls: Calls,
    /// The cookie of whoever is signed in before.
    pub(super) session: Option<(String, String)>,
    store: Option<Arc<dyn Store>>,
    sessions: Vec<SessionKey>,
    names: Names,
}

impl World {
    pub(super) async fn of(vector: &Vector) -> Self {
        let (clock, told) = (ManualClock::at(vector.i64("now")), Told::default());
        let (provider, hears) = (Provider::of(vector), Arc::clone(&told));
        let (asked, calls) = (provider.clone(), Calls::default());
        let told_of = calls.clone();
        let mut builder = Auth::builder(vector.secret())
            .origin(OriginPolicy::fixed(vector.str("base_url")).unwrap())
            .dialect(vector.dialect())
            .clock(clock.clone())
            .http_client(move |request: Request<Bytes>| std::future::ready(asked.send(&request)))
            .provider(acme(vector))
            .provider(myoidc(vector))
            .on_event(move |event| {
                hears.lock().unwrap().extend(site::name_of(&event));
                told_of.hear(event);
                std::future::ready(Ok(()))
            });
        builder = calls.told_by(builder, vector);
        if vector.get("config/pages").is_object() {
            builder = builder.pages(site::pages(vector.get("config/pages")));
        }
        let (mut names, mut kept) = (Names::default(), None);
        if vector.get("config/adapter") == true {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            names = Names::fill(&store, vector.get("config/db")).await;
            if vector.opt_str("config/logged_in").is_some() {
                let first = Account::new("oauth", "acme", "first");
                store.link_account(names.id_of("u1"), &first).await.unwrap();
            }
            kept = Some(Arc::clone(&store));
            builder = with_store(builder, vector, failing(vector, store));
        }
        let auth = builder.build().unwrap();
        let app = app(AuthLayer::new(auth).layer(service_fn(site::claims)));
        let (session, sessions) = (None, Vec::new());
        let mut world = Self { app, clock, told, provider, calls, session, store: kept, sessions, names };
        if vector.opt_str("config/logged_in").is_some() {
            world.session = Some(world.sign_in().await);
            world.calls.taken(&world.names);
        }
        if let Some(store) = &world.store {
            world.sessions = rows::sessions(store).await;
        }
        world
    }

    /// Signs in whoever is recorded as signed in: not with the account that it is about.
    async fn sign_in(&self) -> (String, String) {
        self.provider.speaks_of(Some("first"));
        let mut browser = Browser::new(self.app.clone());
        let token = browser.csrf_token().await;
        let answer = browser.post("/api/auth/signin/acme", &[("csrfToken", &token)]).await;
        let (_, params) = parts(answer.header("location").unwrap());
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("code", "first"), ("state", &params["state"])])
            .finish();
        browser.get(&format!("/api/auth/callback/acme?{query}")).await;
        self.provider.speaks_of(None);
        assert!(browser.jar.keys().all(|name| !is_check(name)));
        browser.jar.into_iter().find(|(name, _)| name.contains("session-token")).unwrap()
    }

    /// What the callbacks were given since the browser began, and what is in the store by now.
    pub(super) async fn outcome(&self, version: &str) -> (Vec<Given>, Rows) {
        let Some(store) = &self.store else { return (self.calls.taken(&self.names), Rows::default()) };
        let mut names = self.names.clone();
        for id in rows::users(store).await {
            names.learn(id);
        }
        (self.calls.taken(&names), Rows::read(store, &names, &self.sessions, version).await)
    }

    /// The claims of the session that an answer begins, with users by their recorded names.
    pub(super) async fn claims(&self, sent: &[Set]) -> Option<Value> {
        let cookies: Vec<_> = sent
            .iter()
            .filter(|cookie| cookie.name.contains("session-token") && !cookie.value.is_empty())
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        if cookies.is_empty() {
            return None;
        }
        let request = Request::get("/").header(header::COOKIE, cookies.join("; ")).body(Full::default());
        let claims = Browser::new(self.app.clone()).request(request.unwrap()).await.json();
        claims.get("sub")?;
        Some(self.names.recorded(claims))
    }
}

/// The store, failing where the recorded adapter did.
fn failing(vector: &Vector, store: Arc<dyn Store>) -> Arc<dyn Store> {
    match vector.opt_str("config/failing_adapter_method") {
        None => store,
        Some("createUser") => Gate::refusing(&store, &["create_user"]),
        // Here the first account is made with its user, by one call.
        Some("linkAccount") => Gate::refusing(&store, &["create_user", "link_account"]),
        Some(method) => panic!("this method has no counterpart yet: {method}"),
    }
}

fn with_store(builder: AuthBuilder, vector: &Vector, store: Arc<dyn Store>) -> AuthBuilder {
    // v3 has no such option.
    let linking = match vector.get("config/linking") == true && vector.str("version") != "v3" {
        true => LinkingPolicy::Dangerous,
        false => LinkingPolicy::Never,
    };
    builder.store(store).linking(linking).sessions_in_tokens(vector.str("config/strategy") == "jwt")
}

/// Which checks the recorded provider had.
pub(in crate::wire) fn checks(vector: &Vector, provider: OAuth) -> OAuth {
    let listed = |name: &str| vector.list("config/checks").iter().any(|check| check == name);
    let recorded = vector.get("config/checks");
    let default = (recorded.is_null() || recorded == "default") && vector.str("version") == "v5";
    let pkce = listed("pkce") || default;
    let provider = if pkce { provider } else { provider.without_pkce() };
    if listed("nonce") { provider } else { provider.without_nonce() }
}

fn authentication(vector: &Vector) -> ClientAuthentication {
    let secret = format!("s:e%c+ret {}", vector.seed());
    if vector.str("version") == "v3" { ClientAuthentication::secret_post(secret) } else { secret.into() }
}

fn acme(vector: &Vector) -> OAuth {
    let endpoints = Endpoints::new("https://idp.test/authorize", "https://idp.test/token")
        .userinfo("https://idp.test/me");
    let acme = OAuth::oauth2("acme", endpoints, client_id(vector), authentication(vector))
        .scope("user email")
        .profile_map(ProfileMap { image: &["/avatar"], ..ProfileMap::PLAIN });
    let acme = match vector.case() {
        "profile_throws" => acme.profile(|_| Err("it throws".into())),
        "profile_without_id" => acme.profile(|_| Ok(User::new("").name("Acme User"))),
        _ => acme,
    };
    checks(vector, acme)
}

fn myoidc(vector: &Vector) -> OAuth {
    let myoidc = OAuth::oidc("myoidc", "https://idp.test", client_id(vector), authentication(vector));
    let myoidc = match vector.opt_str("signin/authorize_params/scope") {
        Some(scope) if scope.contains("openid") => myoidc.scope(scope.to_owned()),
        // NextAuth.js v3 knows a provider by its ID token, whatever it is asked for; or it is a sign-in at `acme`.
        Some(scope) => myoidc.authorization_param("scope", scope),
        None => myoidc,
    };
    checks(vector, myoidc)
}
