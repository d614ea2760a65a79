//! Against a provider that is not ours: `oidc-provider` of npm, which is certified (`op.mjs`). Both sides are on real time.
//!
//! Needs Node and the packages of `tests/node`. Where they are missing these tests say so and test nothing, unless
//! `PORTCULLIS_REQUIRE_NODE=1` is set (as `scripts/test` does): then they fail.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version, header::AUTHORIZATION};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use portcullis::{
    Auth, ClientAuthentication, OAuth, OriginPolicy, ProviderTokenErrorKind, Secret,
    codec::JwsAlgorithm,
    http_client::{HttpClient, HyperClient},
    store::{MemoryStore, Store, UserStore},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tower::{ServiceExt, service_fn};

use crate::{
    client, form_post, server, services,
    site::{begin, begin_with, browser, is_signed_in, params},
    support::{Answer, App, Browser, ORIGIN, SECRET, whoami},
};

const CLIENT_SECRET: &str = "secret of 100% + more";

/// The provider, and a site that it tells of sign-outs.
struct World {
    issuer: String,
    /// What the provider's posts reach.
    site: Arc<OnceLock<App>>,
    _provider: Child,
}

impl World {
    /// Nothing where Node is missing and that is allowed.
    async fn start() -> Option<Self> {
        let site = Arc::new(OnceLock::new());
        let back_channel = listen(Arc::clone(&site));
        let mut provider = match node(back_channel) {
            Ok(provider) => provider,
            Err(why) => {
                let left_out = format!("no sign-in was tried at the certified provider; {why}");
                services::left_out_without_node(&left_out);
                return None;
            }
        };
        let mut lines = BufReader::new(provider.stdout.take().unwrap()).lines();
        let issuer = loop {
            let line = lines.next_line().await.unwrap().expect("op.mjs ended without an address");
            match line.strip_prefix("open ") {
                Some(url) => break url.to_owned(),
                None => println!("{line}"),
            }
        };
        // For whoever has to find out why a test failed.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                println!("{line}");
            }
        });
        Some(Self { issuer, site, _provider: provider })
    }

    fn op(&self, client_id: &str, authentication: impl Into<ClientAuthentication>) -> OAuth {
        OAuth::oidc("op", &self.issuer, client_id, authentication).reading_userinfo()
    }

    /// The site that this provider knows.
    fn auth(&self, op: OAuth, store: &Arc<dyn Store>) -> Auth {
        let builder = Auth::builder(Secret::new(SECRET)).origin(OriginPolicy::fixed(ORIGIN).unwrap());
        let auth = builder.provider(op).store(Arc::clone(store)).build().unwrap();
        assert!(self.site.set(whoami(auth.clone())).is_ok(), "one site in each test");
        auth
    }

    /// What somebody has at the provider.
    fn visitor(&self) -> Visitor {
        let address = self.issuer.strip_prefix("http://").unwrap().parse().unwrap();
        Visitor { issuer: self.issuer.clone(), browser: client::browser(address, Version::HTTP_11) }
    }
}

/// Serves the site to the provider, once it is there.
fn listen(site: Arc<OnceLock<App>>) -> SocketAddr {
    server::serve_http1(service_fn(move |request: Request<Incoming>| {
        let site = site.get().cloned().expect("nobody is told before there is a site");
        async move {
            let (parts, body) = request.into_parts();
            let body = Full::new(body.collect().await.unwrap().to_bytes());
            let answer = site.oneshot(Request::from_parts(parts, body)).await?;
            Ok::<Response<Full<Bytes>>, Infallible>(answer.map(Full::new))
        }
    }))
}

/// It ends with its input, that is with this process, however that ends.
fn node(back_channel: SocketAddr) -> Result<Child, String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    if !tests.join("node/node_modules/oidc-provider").is_dir() {
        return Err("the package oidc-provider is missing: run `scripts/test setup`".to_owned());
    }
    Command::new("node")
        .arg("--require")
        .arg(tests.join("nextjs/end-with-stdin.cjs"))
        .arg(tests.join("oauth/op.mjs"))
        .env("SITE", ORIGIN)
        .env("BACK_CHANNEL", format!("http://{back_channel}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("node cannot be started ({error}): install Node 20 or newer"))
}

/// A browser as the provider sees it.
struct Visitor {
    issuer: String,
    browser: Browser,
}

/// Where a browser ends up that was sent to the provider.
#[derive(Debug)]
enum End {
    /// Back at the site: at this URL.
    Back(String),
    /// Before a page of the provider's.
    Page(String),
}

impl Visitor {
    async fn get(&mut self, url: &str) -> End {
        let answer = self.browser.get(url).await;
        self.follow(answer).await
    }

    async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> End {
        let answer = self.browser.post(url, fields).await;
        self.follow(answer).await
    }

    async fn follow(&mut self, mut answer: Answer) -> End {
        loop {
            // What is removed has a date in the past.
            self.browser.jar.retain(|_, value| !value.is_empty());
            let Some(to) = answer.header("location") else {
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
                return End::Page(answer.text());
            };
            if to.starts_with(ORIGIN) {
                return End::Back(to.to_owned());
            }
            let to = if to.starts_with('/') { format!("{}{to}", self.issuer) } else { to.to_owned() };
            answer = self.browser.get(&to).await;
        }
    }

    /// Agrees to sign out, on a page of the provider's.
    async fn confirm(&mut self, page: End) -> End {
        let End::Page(html) = page else { panic!("nobody was asked: {page:?}") };
        let xsrf = &fields(&html)["xsrf"];
        let url = format!("{}/session/end/confirm", self.issuer);
        self.post(&url, &[("xsrf", xsrf), ("logout", "yes")]).await
    }
}

/// The hidden fields of a page.
fn fields(html: &str) -> BTreeMap<String, String> {
    let value = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.replace("&amp;", "&"))
    };
    let inputs = html.split("<input").skip(1).filter_map(|rest| rest.split_once('>'));
    inputs.filter_map(|(tag, _)| Some((value(tag, "name")?, value(tag, "value")?))).collect()
}

/// There and back again.
async fn sign_in(browser: &mut Browser, visitor: &mut Visitor, case: &str) {
    let url = begin(browser, "op").await.unwrap();
    let End::Back(back) = visitor.get(&url).await else { panic!("{case}: a page of the provider's") };
    is_signed_in(case, &browser.get(&back).await);
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// Each of these clients has ID tokens of another algorithm, too.
async fn signs_in(client_id: &'static str, authentication: impl Into<ClientAuthentication>) {
    let Some(world) = World::start().await else { return };
    let auth = world.auth(world.op(client_id, authentication), &memory());
    let mut browser = browser(&auth);
    sign_in(&mut browser, &mut world.visitor(), client_id).await;
    let session = browser.session().await;
    assert_eq!(
        (&session["user"]["name"], &session["user"]["email"]),
        (&"Alice".into(), &"alice@example.com".into())
    );
}

#[tokio::test]
async fn a_secret_in_the_header() {
    signs_in("basic", CLIENT_SECRET).await;
}

#[tokio::test]
async fn a_secret_in_the_body() {
    signs_in("post", ClientAuthentication::secret_post(CLIENT_SECRET)).await;
}

#[tokio::test]
async fn a_private_key() {
    let key = include_bytes!("../keys/test-p256.private.pem");
    signs_in("key", ClientAuthentication::private_key_jwt(JwsAlgorithm::ES256, "p256", key).unwrap()).await;
}

#[tokio::test]
async fn a_public_client() {
    signs_in("public", ClientAuthentication::public()).await;
}

/// S31: the page of the provider posts the answer.
#[tokio::test]
async fn s31_an_answer_by_a_form() {
    let Some(world) = World::start().await else { return };
    let auth = world.auth(world.op("basic", CLIENT_SECRET).form_post(), &memory());
    let mut browser = browser(&auth);
    let url = begin(&mut browser, "op").await.unwrap();
    let End::Page(html) = world.visitor().get(&url).await else { panic!("the answer was in a query") };
    assert!(html.contains(&format!("action=\"{ORIGIN}/api/auth/callback/op\"")), "{html}");
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields(&html)).finish();
    let answer = form_post::post(&auth, "op", "application/x-www-form-urlencoded", form).await;
    is_signed_in("form_post", &browser.get(answer.header("location").unwrap()).await);
}

/// S45: each refresh token is good once. Where one is used again the provider takes none any more.
#[tokio::test]
async fn s45_refresh_tokens_that_rotate() {
    let Some(world) = World::start().await else { return };
    let store = memory();
    let op = world.op("basic", CLIENT_SECRET).scope("openid profile email offline_access");
    let auth = world.auth(op.authorization_param("prompt", "consent"), &store);
    let mut browser = browser(&auth);
    sign_in(&mut browser, &mut world.visitor(), "offline_access").await;
    let user = browser.who().await;
    let refresh_token = async || {
        let accounts = store.accounts_of(&user).await.unwrap();
        accounts[0].tokens.refresh_token.clone().expect("a refresh token is stored")
    };
    let over = async || {
        let current = store.accounts_of(&user).await.unwrap().remove(0).tokens;
        let mut over = current.clone();
        over.expires_at = Some(0);
        assert!(store.replace_tokens("op", "alice", &current, &over).await.unwrap());
    };
    let mut seen = vec![refresh_token().await];
    for _ in 0..3 {
        over().await;
        let token = auth.provider_token(&user, "op").await.unwrap();
        let request = Request::get(format!("{}/me", world.issuer))
            .header(AUTHORIZATION, format!("Bearer {}", token.access_token))
            .body(Bytes::new());
        let profile = HyperClient::new().unwrap().send(request.unwrap()).await.unwrap();
        assert_eq!(profile.status(), StatusCode::OK);
        let next = refresh_token().await;
        assert!(!seen.contains(&next), "the provider has rotated it, and the store has the older one");
        seen.push(next);
    }
    let newest = store.accounts_of(&user).await.unwrap().remove(0).tokens;
    let mut first = newest.clone();
    first.refresh_token = Some(seen.remove(0));
    first.expires_at = Some(0);
    assert!(store.replace_tokens("op", "alice", &newest, &first).await.unwrap());
    let refused = auth.provider_token(&user, "op").await.unwrap_err();
    assert_eq!(refused.kind(), ProviderTokenErrorKind::SignInAgain);
}

/// S47: the provider takes the ID token as a hint, and knows where to lead the browser afterwards.
#[tokio::test]
async fn s47_signing_out_ends_both_sessions() {
    let Some(world) = World::start().await else { return };
    let auth = world.auth(world.op("basic", CLIENT_SECRET).federated_logout(), &memory());
    let (mut browser, mut visitor) = (browser(&auth), world.visitor());
    sign_in(&mut browser, &mut visitor, "federated").await;
    let token = browser.csrf_token().await;
    let answer = browser.post("/api/auth/signout", &[("csrfToken", &*token)]).await;
    let to = answer.header("location").unwrap();
    assert!(to.starts_with(&format!("{}/session/end?id_token_hint=", world.issuer)), "{to}");
    let page = visitor.get(to).await;
    let End::Back(back) = visitor.confirm(page).await else { panic!("the browser stays at the provider") };
    assert_eq!(back.trim_end_matches('/'), ORIGIN);
    assert_eq!(browser.who().await, "nobody");
    // Nobody is signed in there either.
    let url = begin_with(&mut browser, "op", "?prompt=none").await.unwrap();
    let End::Back(refused) = visitor.get(&url).await else { panic!("the provider asked") };
    let error = params(&refused).into_iter().find(|(name, _)| name == "error");
    assert_eq!(error.unwrap().1, "login_required");
}

/// S47: what the provider sends is a logout token, and ends the session that was begun with that one.
#[tokio::test]
async fn s47_the_provider_tells_of_a_sign_out() {
    let Some(world) = World::start().await else { return };
    let auth = world.auth(world.op("basic", CLIENT_SECRET).federated_logout(), &memory());
    let [mut here, mut elsewhere] = [browser(&auth), browser(&auth)];
    let mut visitor = world.visitor();
    sign_in(&mut here, &mut visitor, "here").await;
    sign_in(&mut elsewhere, &mut world.visitor(), "elsewhere").await;
    let page = visitor.get(&format!("{}/session/end", world.issuer)).await;
    // It answers once it has told the site.
    visitor.confirm(page).await;
    assert_eq!(here.who().await, "nobody");
    assert_ne!(elsewhere.who().await, "nobody", "another session at the provider goes on");
}
