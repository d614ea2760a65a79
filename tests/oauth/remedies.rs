//! What whoever runs a site is told: before it starts, and in the log.

use portcullis::{
    Auth, ClientAuthentication, Dialect, Email, Endpoints, LinkingPolicy, OAuth, OriginPolicy, Secret,
    SignInDecision, mail::Mailbox, store::MemoryStore,
};
use serde_json::json;
use tracing::Level;

use crate::{
    provider::{CLIENT, CLIENT_SECRET, Plan, Provider, Reply, signed_as},
    site::{at_provider, begin, begin_for, browser, builder, oidc, sign_in},
    support::{Browser, SECRET, log::Log},
    time::Time,
};

fn oauth2() -> OAuth {
    let endpoints = Endpoints::new("https://acme.example/authorize", "https://acme.example/token");
    OAuth::oauth2("acme", endpoints.userinfo("https://acme.example/me"), CLIENT, CLIENT_SECRET)
}

/// What cannot work is said before the site starts.
#[test]
fn configurations_that_cannot_work() {
    let oidc = || OAuth::oidc("acme", "https://id.example", CLIENT, CLIENT_SECRET);
    let end = Endpoints::default().end_session("https://acme.example/end");
    for (provider, problem) in [
        (oidc().scope("offline_access"), Some("has no `openid`")),
        (oidc().scope("profile openid offline_access"), None),
        (oidc().scope(""), None),
        (oidc().scope("").authorization_param("scope", "tokens"), None),
        (oauth2().scope("user"), None),
        (oauth2().federated_logout(), Some("remove .federated_logout()")),
        (oauth2().endpoints(end).federated_logout(), None),
        (oidc().federated_logout(), None),
        (
            OAuth::oidc("acme", "http://id.example", CLIENT, ClientAuthentication::public()),
            Some("localhost only"),
        ),
    ] {
        let built = builder(&Time::at_noon()).provider(provider).build();
        match (built, problem) {
            (Ok(_), None) => {}
            (Err(error), Some(problem)) => assert!(error.to_string().contains(problem), "{error}"),
            (built, _) => panic!("{problem:?}: {built:?}"),
        }
    }
}

/// The start-up report has what is to be registered at each provider, under each origin.
#[test]
fn what_to_register_is_in_the_report() {
    let lines = |origin: OriginPolicy| {
        let oidc = OAuth::oidc("id", "https://id.example", CLIENT, CLIENT_SECRET).federated_logout();
        let auth = Auth::builder(Secret::new(SECRET)).origin(origin).provider(oauth2()).provider(oidc);
        let lines = auth.build().unwrap().startup_report().decisions.into_iter();
        lines.filter(|line| line.starts_with("acme: ") || line.starts_with("id: ")).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(OriginPolicy::fixed("https://app.example/account/auth").unwrap()),
        [
            "acme: its redirect URI is https://app.example/account/auth/callback/acme",
            "id: its redirect URI is https://app.example/account/auth/callback/id",
            "id: its post-logout redirect URI is https://app.example",
            "id: its back-channel logout URL is https://app.example/account/auth/backchannel-logout/id",
        ]
    );
    let two = lines(OriginPolicy::allow_list(["http://localhost:3000", "http://127.0.0.1:3000"]).unwrap());
    for origin in ["http://localhost:3000", "http://127.0.0.1:3000"] {
        assert!(
            two.contains(&format!("acme: its redirect URI is {origin}/api/auth/callback/acme")),
            "{two:?}"
        );
    }
    let unknown = lines(OriginPolicy::forwarded([]));
    assert_eq!(unknown[0], "acme: its redirect URI is {origin}/api/auth/callback/acme");
}

/// A program that would wait in vain is told of in the log; where such programs are let in, the report says so.
#[tokio::test]
async fn programs_that_are_no_browsers_are_told_of() {
    let told = "programs that are no browsers may sign in";
    for (native_clients, logged, reported) in [(false, true, false), (true, false, true)] {
        let ((log, _guard), time) = (Log::of(Level::WARN), Time::at_noon());
        let provider = Provider::start(&time);
        let auth = builder(&time).native_clients(native_clients).provider(oidc("acme", &provider));
        let auth = auth.build().unwrap();
        let callback_url = "http://127.0.0.1:4321/api/auth/callback/acme";
        begin_for(&mut browser(&auth), "acme", "", callback_url).await.unwrap();
        assert_eq!(log.text().contains(".native_clients(true)"), logged, "{}", log.text());
        assert_eq!(auth.startup_report().to_string().contains(told), reported);
    }
}

/// What is logged, as warnings, by a sign-in at a provider with this plan.
async fn logged(plan: fn(&mut Plan)) -> String {
    let ((log, _guard), time) = (Log::of(Level::WARN), Time::at_noon());
    let provider = Provider::start(&time);
    provider.plan(plan);
    let auth = builder(&time).provider(oidc("acme", &provider)).build().unwrap();
    let mut browser = browser(&auth);
    sign_in(&mut browser, "acme").await;
    assert_eq!(browser.who().await, "nobody");
    log.text()
}

/// What the provider does, and what is logged then.
type Refusal = (fn(&mut Plan), &'static [&'static str]);

/// What a provider answered, or what came and what was expected, and what to compare.
#[tokio::test]
async fn refusals_say_what_to_do() {
    let cases: [Refusal; 5] = [
        (
            |plan| plan.token = |_| Reply::error(401, "invalid_client"),
            &["invalid_client (", "compare the client id and the client secret"],
        ),
        (
            |plan| plan.token = |_| Reply::json(json!({ "error": "incorrect_client_credentials" })),
            &["incorrect_client_credentials (no description); compare the client id and the client secret"],
        ),
        (
            |plan| {
                plan.claims = |mut claims| {
                    claims["iss"] = "https://other.example".into();
                    claims
                }
            },
            &["it was issued by \"https://other.example\", and not by \"http"],
        ),
        (
            |plan| {
                plan.claims = |mut claims| {
                    claims["aud"] = json!(["one", "two"]);
                    claims
                }
            },
            &["it was issued for \"one two\", and not for the client"],
        ),
        (
            |plan| plan.sign = |claims| signed_as(&json!({ "alg": "HS256", "kid": "ed25519" }), claims),
            &["see OAuth::id_token_algorithms"],
        ),
    ];
    for (plan, words) in cases {
        let log = logged(plan).await;
        for word in words {
            assert!(log.contains(word), "{word}: {log}");
        }
        assert!(!log.contains(CLIENT_SECRET), "{log}");
    }
}

/// A browser without the cookie is told of in the log, with every cause.
#[tokio::test]
async fn an_answer_for_another_browser_names_the_causes() {
    let ((log, _guard), time) = (Log::of(Level::WARN), Time::at_noon());
    let provider = Provider::start(&time);
    let auth = builder(&time).provider(oidc("acme", &provider)).build().unwrap();
    let answer = at_provider(&begin(&mut browser(&auth), "acme").await.unwrap()).await;
    browser(&auth).get(&answer).await;
    for cause in ["localhost is not 127.0.0.1", "https", "another browser", "15 minutes", "five others"] {
        assert!(log.text().contains(cause), "{cause}: {}", log.text());
    }
}

/// Neither an account that is not linked nor the application's own refusal goes by in silence.
#[tokio::test]
async fn refusals_of_this_side_are_logged() {
    for dialect in Dialect::ALL {
        let ((log, _guard), time) = (Log::of(Level::WARN), Time::at_noon());
        let (acme, other) = (Provider::start(&time), Provider::start(&time));
        let site = || {
            let site = builder(&time).dialect(dialect).provider(oidc("acme", &acme));
            site.provider(oidc("other", &other))
        };
        let auth = site().store(MemoryStore::new()).build().unwrap();
        sign_in(&mut browser(&auth), "acme").await;
        assert_eq!(log.text(), "");
        other.plan(|plan| plan.user["sub"] = "alice-2".into());
        nobody(&auth, "other").await;
        assert!(
            log.text().contains("OAuthAccountNotLinked") && log.text().contains("\"other\""),
            "{}",
            log.text()
        );

        let denies = site().on_sign_in(async |_| Ok(SignInDecision::Deny)).build().unwrap();
        nobody(&denies, "acme").await;
        assert!(log.text().contains("the `sign_in` callback denied it"), "{}", log.text());
    }
}

/// A mailed link that is refused is told of as that: no provider can be signed in at with it.
#[tokio::test]
async fn a_refused_link_is_no_account() {
    let ((log, _guard), time, mails) = (Log::of(Level::WARN), Time::at_noon(), Mailbox::default());
    let acme = Provider::start(&time);
    acme.plan(|plan| plan.user["email_verified"] = false.into());
    let auth = builder(&time)
        .store(MemoryStore::new())
        .linking(LinkingPolicy::VerifiedOnBothSides)
        .provider(oidc("acme", &acme))
        .provider(Email::new(mails.clone()))
        .build()
        .unwrap();
    sign_in(&mut browser(&auth), "acme").await;
    let mut owner = browser(&auth);
    let csrf = owner.csrf_token().await;
    owner.post("/api/auth/signin/email", &[("csrfToken", &*csrf), ("email", "alice@example.com")]).await;
    let mail = mails.take().remove(0);
    let link = mail.text.lines().find_map(|line| line.find("/api/auth/callback/").map(|at| &line[at..]));
    owner.get(link.unwrap()).await;
    assert_eq!(owner.who().await, "nobody");
    let text = log.text();
    assert!(text.contains("OAuthAccountNotLinked") && text.contains("a mailed link would prove"), "{text}");
    assert!(text.contains("`email_verified`") && !text.contains("at this provider"), "{text}");
}

async fn nobody(auth: &Auth, provider: &str) {
    let mut browser: Browser = browser(auth);
    sign_in(&mut browser, provider).await;
    assert_eq!(browser.who().await, "nobody");
}
