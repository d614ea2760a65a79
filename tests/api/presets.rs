//! The presets: tables over all of them, and a sign-in at each, with a provider that answers as its documentation shows.
//!
//! `tests/presets/ID.json` has, for each: `profile`, as the provider gives it; `user`, which is to be made of it; and
//! where they matter `token` (further members of the token response), `more` (what further resources answer) and
//! `posted` (the field `user` of a posted answer).

mod provider;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use portcullis::{
    Auth, OriginPolicy, Proof, Protocol, Provider, Secret, SignInContext, SignInDecision,
    http_client::HttpError,
    preset::{self, Issuer, Preset},
};
use serde_json::{Value, json};
use url::Url;

use self::provider::{FakeProvider, issuer};
use crate::support::{Browser, ManualClock, NOW, ORIGIN, SECRET, builder, whoami};

/// The ids of Auth.js 5 (`@auth/core` 0.41.3) that are of OAuth 2 or OpenID Connect.
const AUTH_JS: &str = "42-school apple asgardeo atlassian auth0 authentik azure-ad azure-ad-b2c azure-devops bankid-no \
    battlenet beyondidentity bitbucket box boxyhq-saml bungie click-up cognito coinbase concept2 descope discord dribbble \
    dropbox duende-identity-server6 eventbrite eveonline facebook faceit figma foursquare freshbooks frontegg fusionauth \
    github gitlab google hubspot huggingface hydra identity-server4 instagram kakao keycloak kinde line linkedin logto \
    mailchimp mailru mastodon mattermost medium microsoft-entra-id naver netlify netsuite nextcloud notion okta onelogin \
    osso osu passage patreon ping-id pinterest pipedrive reddit roblox salesforce simplelogin slack spotify strava threads \
    tiktok todoist trakt twitch twitter united-effects vipps vk webex wechat wikimedia wordpress workos yandex zitadel \
    zoho zoom";

/// Those of them that are not here, and why: `docs/providers.md`.
const LEFT_OUT: [&str; 2] = ["azure-devops", "netsuite"];

#[test]
fn ids_are_those_of_auth_js() {
    let ours: BTreeSet<&str> = preset::ALL.iter().map(|preset| preset.id).collect();
    assert_eq!(ours.len(), preset::ALL.len(), "two presets have one id");
    let mut theirs: BTreeSet<&str> = AUTH_JS.split_whitespace().collect();
    for id in LEFT_OUT {
        assert!(theirs.remove(id), "{id}");
    }
    assert_eq!(ours, theirs);
    assert!(preset::ALL.is_sorted_by_key(|preset| preset.id), "the list is in order");
}

#[test]
fn urls_are_https() {
    for preset in preset::ALL {
        let own = match preset.issuer {
            Issuer::Fixed(issuer) | Issuer::Default(issuer) => issuer,
            _ => "",
        };
        let more = preset.quirks.more.iter().map(|(_, url)| *url);
        let named =
            [own, preset.authorization, preset.token, preset.userinfo, preset.jwks, preset.end_session];
        for url in named.into_iter().chain(more).filter(|url| !url.is_empty()) {
            let at = url.replace("{issuer}", "https://id.example");
            let parsed = Url::parse(&at);
            assert!(parsed.is_ok_and(|url| url.scheme() == "https"), "{}: {url}", preset.id);
            assert!(url.starts_with("https://") || url.starts_with("{issuer}/"), "{}: {url}", preset.id);
        }
        assert!(!preset.name.is_empty(), "{}", preset.id);
    }
}

/// Whoever goes without PKCE or nonce is named here, and has a sentence in its file that says why.
#[test]
fn s33_these_alone_go_without_pkce_or_nonce() {
    let ids = |lacks: fn(&Preset) -> bool| -> Vec<&str> {
        preset::ALL.iter().filter(|preset| lacks(preset)).map(|preset| preset.id).collect()
    };
    let without_pkce = ids(|preset| !preset.pkce);
    let want =
        ["atlassian", "click-up", "instagram", "linkedin", "reddit", "slack", "threads", "tiktok", "wechat"];
    assert_eq!(without_pkce, want);
    assert_eq!(ids(|preset| preset.protocol == Protocol::Oidc && !preset.nonce), ["linkedin"]);
    assert_eq!(ids(|preset| preset.id_token_by_secret), ["line"]);
    assert_eq!(ids(|preset| preset.profile.email_verified == Proof::Always), [""; 0]);
}

#[test]
fn colours_are_colours() {
    let color = regex::Regex::new("^#[0-9a-f]{6}$").unwrap();
    for preset in preset::ALL {
        for text in [preset.button.background, preset.button.text] {
            assert!(text.is_empty() || color.is_match(text), "{}: {text}", preset.id);
        }
    }
    let styled = preset::ALL.iter().filter(|preset| !preset.button.background.is_empty()).count();
    assert!(styled + 3 > preset::ALL.len(), "{styled}");
}

#[test]
fn what_the_environment_lacks_is_named() {
    for preset in preset::ALL {
        let prefix = format!("AUTH_{}", preset.id.to_uppercase().replace('-', "_"));
        let error = preset.from_variables(|_| None).unwrap_err().to_string();
        for (name, needed) in
            [("ID", true), ("SECRET", true), ("ISSUER", matches!(preset.issuer, Issuer::Given { .. }))]
        {
            assert_eq!(error.contains(&format!("{prefix}_{name} is not set")), needed, "{name}: {error}");
        }
        // Empty is not set.
        assert!(preset.from_variables(|_| Some(String::new())).is_err(), "{}", preset.id);
        let given = |name: &str| {
            let value = match name.strip_prefix(&format!("{prefix}_"))? {
                "ID" => "my-client-id",
                "SECRET" => SECRET,
                "ISSUER" => "https://id.example/",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let provider = Provider::from(preset.from_variables(given).unwrap());
        assert_eq!((provider.id(), provider.name()), (preset.id, preset.name));
    }
}

/// Without an issuer there is no place to ask at: that is said once, with what to do.
#[test]
fn an_issuer_that_is_missing_is_asked_for() {
    let mut given = 0;
    for preset in preset::ALL.iter().filter(|preset| matches!(preset.issuer, Issuer::Given { .. })) {
        let auth = Auth::builder(Secret::new(SECRET)).origin(OriginPolicy::fixed(ORIGIN).unwrap());
        let error = auth.provider(preset.provider("my-client-id", SECRET)).build().unwrap_err().to_string();
        assert!(error.contains(".issuer(..)"), "{}: {error}", preset.id);
        given += 1;
    }
    assert!(given > 20, "{given}");
}

/// The variables of an Auth.js site go on to work, with or without what its issuers end with.
#[tokio::test]
async fn an_issuer_may_be_written_in_several_ways() {
    for (id, issuers, want) in [
        ("auth0", ["https://a.example", "https://a.example/"], "https://a.example/.well-known/"),
        (
            "onelogin",
            ["https://a.example/", "https://a.example/oidc/2"],
            "https://a.example/oidc/2/.well-known/",
        ),
        (
            "asgardeo",
            ["https://a.example/t/o", "https://a.example/t/o/oauth2/token/"],
            "https://a.example/t/o/oauth2/token/.well-known/",
        ),
        ("frontegg", ["https://a.example", "https://a.example/"], "https://a.example/oauth/.well-known/"),
        ("gitlab", ["https://a.example", "https://a.example/"], "https://a.example/oauth/authorize"),
    ] {
        let preset = preset::ALL.iter().find(|preset| preset.id == id).unwrap();
        for issuer in issuers {
            let asked = Arc::new(Mutex::new(String::new()));
            let store = Arc::clone(&asked);
            let client = move |request: Request<Bytes>| {
                *store.lock().unwrap() = request.uri().to_string();
                std::future::ready(Err::<Response<Bytes>, _>(HttpError::unavailable("nobody is there")))
            };
            let provider = preset.provider("my-client-id", SECRET).issuer(issuer);
            let auth = builder(&ManualClock::at(NOW)).provider(provider).http_client(client);
            let mut browser = Browser::new(whoami(auth.build().unwrap()));
            let token = browser.csrf_token().await;
            let sent = browser.post(&format!("/api/auth/signin/{id}"), &[("csrfToken", &token)]).await;
            let location = sent.header("location").unwrap();
            let asked = asked.lock().unwrap();
            assert!(asked.starts_with(want) || location.starts_with(want), "{issuer}: {asked}, {location}");
        }
    }
}

#[test]
fn all_together_are_a_configuration() {
    let providers = preset::ALL.iter().map(|preset| {
        let provider = preset.provider("my-client-id", SECRET);
        if matches!(preset.issuer, Issuer::Given { .. }) {
            provider.issuer("https://id.example")
        } else {
            provider
        }
    });
    let builder =
        providers.fold(builder(&ManualClock::at(NOW)), |builder, provider| builder.provider(provider));
    builder.build().unwrap();
}

#[test]
fn there_is_a_sample_for_each_preset_and_no_other() {
    let files = fs::read_dir(samples()).unwrap().map(|file| file.unwrap().path());
    let files: BTreeSet<String> =
        files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let ids: BTreeSet<String> = preset::ALL.iter().map(|preset| preset.id.to_owned()).collect();
    assert_eq!(files, ids);
}

/// `docs/providers.md` has a row for each, with its type and its variables.
#[test]
fn each_is_in_the_documents() {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/providers.md")).unwrap();
    for preset in preset::ALL {
        let kind = if preset.protocol == Protocol::Oidc { "OpenID Connect" } else { "OAuth 2" };
        let prefix = format!("AUTH_{}", preset.id.to_uppercase().replace('-', "_"));
        let issuer = match preset.issuer {
            Issuer::Given { .. } => ", `_ISSUER`",
            Issuer::Default(_) => ", [`_ISSUER`]",
            _ => "",
        };
        let (id, end) = (preset.id, format!(" | {kind} | `{prefix}_ID`, `_SECRET`{issuer} | "));
        let row = document.lines().find(|line| line.starts_with(&format!("| `{id}` | `")));
        assert!(row.is_some_and(|row| row.contains(&end)), "{id}: {row:?} has not {end}");
    }
    let rows = document.lines().filter(|line| line.contains("`, `_SECRET`")).count();
    assert_eq!(rows, preset::ALL.len());
    assert!(document.contains(&format!("a preset for {rows} providers")));
}

#[tokio::test]
async fn each_signs_its_user_in() {
    let mut problems = Vec::new();
    for preset in preset::ALL {
        let sample = sample(preset.id);
        let got = signed_in(preset, &sample).await.unwrap_or_else(Value::String);
        if got != sample["user"] {
            problems.push(format!("{}: {got} in place of {}", preset.id, sample["user"]));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What is not documented as proved is not taken for proved, and neither is what the provider says was not.
#[tokio::test]
async fn s38_addresses_that_nobody_has_proved_are_not_verified() {
    let mut refuted = 0;
    for preset in preset::ALL {
        let mut sample = sample(preset.id);
        let before = sample.clone();
        for part in ["profile", "more"] {
            refute(&mut sample[part]);
        }
        if sample != before {
            let user = signed_in(preset, &sample).await.unwrap();
            assert_eq!(user["email_verified"], false, "{}", preset.id);
            refuted += 1;
        }
    }
    assert!(refuted > 30, "{refuted}");
}

/// Turns everything that says that an address was proved into its opposite.
fn refute(value: &mut Value) {
    const SAYS: [&str; 8] = [
        "email_verified",
        "verified",
        "is_confirmed",
        "is_email_verified",
        "confirmed_email",
        "xms_edov",
        "has_verified_email",
        "is_email_valid",
    ];
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::Bool(proved) if SAYS.contains(&&**name) => *proved = false,
                    Value::String(proved) if SAYS.contains(&&**name) => *proved = "false".to_owned(),
                    Value::Number(proved) if SAYS.contains(&&**name) => *proved = 0.into(),
                    value => refute(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(refute),
        _ => {}
    }
}

/// Goes through a sign-in, and answers the user that came of it.
async fn signed_in(preset: &'static Preset, sample: &Value) -> Result<Value, String> {
    let clock = ManualClock::at(NOW);
    let fake = FakeProvider::new(preset, sample.clone());
    let seen = Arc::new(Mutex::new(None));
    let store = Arc::clone(&seen);
    let mut provider = preset.provider("my-client-id", SECRET);
    if !matches!(preset.issuer, Issuer::None) {
        provider = provider.issuer(issuer(preset));
    }
    let auth = builder(&clock).provider(provider).http_client(fake.client()).on_sign_in(
        move |SignInContext { user, .. }| {
            *store.lock().unwrap() = Some(user);
            std::future::ready(Ok(SignInDecision::Allow))
        },
    );
    let mut browser = Browser::new(whoami(auth.build().map_err(|error| error.to_string())?));

    let token = browser.csrf_token().await;
    let path = format!("/api/auth/signin/{}", preset.id);
    let sent = browser.post(&path, &[("csrfToken", &token)]).await;
    let url = Url::parse(sent.header("location").unwrap_or_default()).map_err(|_| format!("{sent:?}"))?;
    let query = fake.asked(&url).map_err(|problem| format!("{problem} {:?}", fake.problems()))?;
    let mut back = answer_of(preset, sample, &query, &mut browser).await;
    let location = back.header("location").unwrap_or_default().to_owned();
    if location.contains("?posted=") {
        back = browser.get(&location).await;
    }
    let location = back.header("location").unwrap_or_default();
    if back.status != StatusCode::FOUND || location.contains("error") || location.contains("signin") {
        return Err(format!("refused: {} {location}, asked: {:?}", back.status, fake.problems()));
    }
    if let Some(problem) = fake.problems().first() {
        return Err(problem.clone());
    }
    let user = seen.lock().unwrap().take().ok_or("nobody signed in")?;
    Ok(json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "email_verified": user.email_verified.is_some(),
        "image": user.image,
    }))
}

/// The browser comes back from the provider, by a link or by a posted form.
async fn answer_of(
    preset: &Preset,
    sample: &Value,
    query: &BTreeMap<String, String>,
    browser: &mut Browser,
) -> crate::support::Answer {
    let path = format!("/api/auth/callback/{}", preset.id);
    let posted = sample["posted"].to_string();
    let mut fields = vec![("code", "the-code"), ("state", &*query["state"])];
    if query.get("response_mode").is_some_and(|mode| mode == "form_post") {
        fields.push(("user", &posted));
        browser.post(&path, &fields).await
    } else {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        browser.get(&format!("{path}?{query}")).await
    }
}

fn sample(id: &str) -> Value {
    let path = samples().join(format!("{id}.json"));
    serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()
}

fn samples() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/presets"))
}
