//! `state`: random, of one browser, for one sign-in, once.

use std::sync::Arc;

use portcullis::{
    Auth, Dialect, OriginPolicy,
    store::{MemoryStore, Store},
};

use crate::{
    packages::{begun_by_the_packages, is_own},
    provider::{Case, Ending, Params, Provider},
    site::{
        Fault, at_provider, begin, browser, builder, is_session, is_signed_in, oidc, param, sign_in, site,
        with_params,
    },
    support::Browser,
    time::Time,
};

/// A browser that has come back from the provider, and where it is to go now.
async fn back(auth: &Auth) -> (Browser, String) {
    let mut browser = browser(auth);
    let url = begin(&mut browser, "acme").await.unwrap();
    let back = at_provider(&url).await;
    (browser, back)
}

fn set(params: Params, name: &str, value: &str) -> Params {
    params
        .into_iter()
        .map(|(known, old)| if known == name { (known, value.to_owned()) } else { (known, old) })
        .collect()
}

fn without(params: Params, name: &str) -> Params {
    params.into_iter().filter(|(known, _)| known != name).collect()
}

fn twice(mut params: Params, name: &str, value: Option<&str>) -> Params {
    let old = params.iter().find(|(known, _)| known == name).unwrap().1.clone();
    params.push((name.to_owned(), value.map_or(old, str::to_owned)));
    params
}

const FAULTS: &[Case<Params>] = &[
    ("no state", |params| without(params, "state")),
    ("an empty state", |params| set(params, "state", "")),
    ("another state", |params| set(params, "state", "12345678901234567890123456789012345678901234")),
    ("a state in other letters", |params| {
        let state = params.iter().find(|(name, _)| name == "state").unwrap().1.clone();
        let flipped: String = state
            .chars()
            .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        set(params, "state", &flipped)
    }),
    ("half a state", |params| {
        let state = params.iter().find(|(name, _)| name == "state").unwrap().1.clone();
        set(params, "state", &state[..state.len() / 2])
    }),
    ("the state twice", |params| twice(params, "state", None)),
    ("the state, and an empty one", |params| twice(params, "state", Some(""))),
    ("the state, and another one", |params| twice(params, "state", Some("x"))),
    ("another name of the state", |params| {
        params
            .into_iter()
            .map(|(name, value)| (if name == "state" { "State".into() } else { name }, value))
            .collect()
    }),
    ("a list", |params| {
        params
            .into_iter()
            .map(|(name, value)| (if name == "state" { "state[]".into() } else { name }, value))
            .collect()
    }),
    ("no code", |params| without(params, "code")),
    ("an empty code", |params| set(params, "code", "")),
    ("the code twice", |params| twice(params, "code", None)),
    ("the code, and another one", |params| twice(params, "code", Some("code-0"))),
    ("nothing", |_| Params::new()),
];

/// S31, S43: what is missing, empty, repeated or another is a failure.
#[tokio::test]
async fn s31_s43_broken_answers_sign_nobody_in() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        for (case, change) in FAULTS {
            let (mut browser, back) = back(&auth).await;
            let answer = browser.get(&with_params(&back, change)).await;
            Fault::Callback.is_told(case, dialect, &answer);
            assert_eq!(browser.who().await, "nobody", "{dialect}: {case}");
        }
    }
}

/// S31: a code that the provider has not given.
#[tokio::test]
async fn s31_another_code() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let (mut browser, back) = back(&site(dialect, &time, &provider)).await;
        let answer = browser.get(&with_params(&back, |params| set(params, "code", "code-0"))).await;
        Fault::Exchange.is_told("another code", dialect, &answer);
    }
}

/// S31: an `error` does not hide behind a second one, nor behind a code.
#[tokio::test]
async fn s31_errors_are_errors() {
    let cases: &[Ending<Params, Fault>] = &[
        ("an error", |_| vec![("error".into(), "access_denied".into())], Fault::Provider),
        (
            "an error and a code",
            |mut params| {
                params.push(("error".into(), "access_denied".into()));
                params
            },
            Fault::Provider,
        ),
        (
            "two errors and a code",
            |mut params| {
                params.extend(["a", "b"].map(|error| ("error".to_owned(), error.to_owned())));
                params
            },
            Fault::Callback,
        ),
        (
            "two descriptions",
            |mut params| {
                params.extend(["a", "b"].map(|text| ("error_description".to_owned(), text.to_owned())));
                params
            },
            Fault::Callback,
        ),
    ];
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        for (case, change, fault) in cases {
            let (mut browser, back) = back(&auth).await;
            fault.is_told(case, dialect, &browser.get(&with_params(&back, change)).await);
            assert!(provider.seen("/token").is_empty(), "{case}: the code was redeemed");
        }
    }
}

/// S43: what a provider or a stranger writes is in no answer.
#[tokio::test]
async fn s43_nothing_is_reflected() {
    let evil = "<script>alert(1)</script>";
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    for dialect in Dialect::ALL {
        let auth = site(dialect, &time, &provider);
        for name in ["error", "error_description", "error_uri", "state", "code", "iss", "posted"] {
            let (mut browser, back) = back(&auth).await;
            let url = with_params(&back, |mut params| {
                params.retain(|(known, _)| known != name);
                params.push((name.to_owned(), evil.to_owned()));
                params
            });
            let answer = browser.get(&url).await;
            let shown = format!("{:?}{}", answer.headers, answer.text());
            assert!(!shown.contains("alert"), "{dialect}: {name}: {shown}");
        }
    }
}

/// S30: the attacker's code and state do nothing in the victim's browser, whatever the victim has begun.
#[tokio::test]
async fn s30_another_browser() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let (_, link) = back(&auth).await;
        let mut victim = browser(&auth);
        Fault::Callback.is_told("a link", dialect, &victim.get(&link).await);
        let (mut victim, own) = back(&auth).await;
        Fault::Callback.is_told("a link in between", dialect, &victim.get(&link).await);
        // The victim's state with the attacker's code: the verifier is another one.
        let code = param(&link, "code");
        let mixed = with_params(&own, |params| set(params, "code", &code));
        Fault::Exchange.is_told("a code", dialect, &victim.get(&mixed).await);
        assert_eq!(victim.who().await, "nobody");
    }
}

/// S30, S31: without the cookie that binds it, or with one that nobody here has sealed.
#[tokio::test]
async fn s30_s31_the_cookie_decides() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let bound = |name: &str| name.contains(".state") || name.contains(".pkce") || name.contains(".nonce");
        let (mut bare, url) = back(&auth).await;
        bare.jar.retain(|name, _| !bound(name));
        Fault::Callback.is_told("no cookies", dialect, &bare.get(&url).await);

        let (mut torn, url) = back(&auth).await;
        for (name, value) in &mut torn.jar {
            if bound(name) {
                value.truncate(value.len() - 1);
            }
        }
        Fault::Callback.is_told("torn cookies", dialect, &torn.get(&url).await);

        // Each cookie as the value of each other one.
        let (whole, url) = back(&auth).await;
        let names: Vec<String> = whole.jar.keys().filter(|name| bound(name)).cloned().collect();
        for (to, from) in
            names.iter().flat_map(|to| names.iter().map(move |from| (to, from))).filter(|(a, b)| a != b)
        {
            let mut mixed = whole.clone();
            mixed.jar.retain(|name, _| !bound(name));
            mixed.jar.insert(to.clone(), whole.jar[from].clone());
            let answer = mixed.get(&url).await;
            Fault::Callback.is_told(&format!("{from} as {to}"), dialect, &answer);
        }
    }
}

/// S31: with the cookies of the npm packages alone, each of them has to be there.
#[tokio::test]
async fn s31_each_cookie_of_the_dialect_is_needed() {
    for dialect in [Dialect::V4, Dialect::V5] {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let checks = [".state", ".pkce.code_verifier", ".nonce"];
        for missing in checks {
            let (mut browser, url) = back(&auth).await;
            begun_by_the_packages(&mut browser, dialect);
            browser.jar.retain(|name, _| !name.ends_with(missing));
            Fault::Callback.is_told(missing, dialect, &browser.get(&url).await);
        }
        let (mut whole, url) = back(&auth).await;
        let begun_here = whole.jar.clone();
        begun_by_the_packages(&mut whole, dialect);
        for ours in checks {
            let mut mixed = whole.clone();
            let (name, value) = begun_here.iter().find(|(name, _)| name.ends_with(ours)).unwrap();
            mixed.jar.insert(name.clone(), value.clone());
            Fault::Callback.is_told(
                &format!("{ours} of a sign-in begun here"),
                dialect,
                &mixed.get(&url).await,
            );
        }
        is_signed_in("all of them", &whole.get(&url).await);
    }
}

/// S31: at https a sign-in that was begun here is bound by a cookie that no sibling domain can set.
#[tokio::test]
async fn s31_the_cookie_of_a_sign_in_is_of_this_host() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = at_https(dialect, &time, &provider);
        let mut browser = browser(&auth);
        let token = browser.csrf_token().await;
        let begun = browser.post("/api/auth/signin/acme", &[("csrfToken", &*token)]).await;
        let cookies = begun.cookies();
        let own: Vec<_> = cookies.iter().filter(|cookie| is_own(cookie.name())).collect();
        let [cookie] = *own else { panic!("{dialect}: {cookies:?}") };
        assert!(cookie.name().starts_with("__Host-"), "{dialect}: {cookie}");
        assert_eq!((cookie.secure(), cookie.http_only()), (Some(true), Some(true)), "{dialect}: {cookie}");
        assert_eq!((cookie.path(), cookie.domain()), (Some("/"), None), "{dialect}: {cookie}");
        let url = at_provider(begun.header("location").unwrap()).await;
        // Under a name that a sibling domain can set it is none.
        let mut renamed = browser.clone();
        let value = renamed.jar.remove(cookie.name()).unwrap();
        renamed.jar.insert(cookie.name().replace("__Host-", "__Secure-"), value);
        Fault::Callback.is_told_at(HTTPS, "another prefix", dialect, &renamed.get(&url).await);
        assert!(is_session(&browser.get(&url).await), "{dialect}: with its own cookie it goes on");
    }
}

/// S31: whoever can set cookies for the domain, from a sibling of this host, does not sign its visitors in as themselves.
#[tokio::test]
async fn s31_what_a_sibling_domain_plants_signs_nobody_in() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = at_https(dialect, &time, &provider);
        for begins in [false, true] {
            let mut victim = browser(&auth);
            if begins {
                begin(&mut victim, "acme").await.unwrap();
            }
            let (attacker, url) = back(&auth).await;
            let planted = attacker.jar.iter().filter(|(name, _)| !name.starts_with("__Host-"));
            victim.jar.extend(planted.map(|(name, value)| (name.clone(), value.clone())));
            let case = format!("the victim has begun: {begins}");
            Fault::Callback.is_told_at(HTTPS, &case, dialect, &victim.get(&url).await);
            assert_eq!(victim.who().await, "nobody", "{dialect}: {case}");
        }
        assert!(provider.seen("/token").is_empty(), "{dialect}: the code was redeemed");
    }
}

const HTTPS: &str = "https://app.example";

fn at_https(dialect: Dialect, time: &Time, provider: &Provider) -> Auth {
    let origin = OriginPolicy::fixed(HTTPS).unwrap();
    builder(time).dialect(dialect).origin(origin).provider(oidc("acme", provider)).build().unwrap()
}

/// S30: a state is good for one answer, with the cookies that it had.
#[tokio::test]
async fn s30_a_state_is_used_once() {
    let stores: [Option<Arc<dyn Store>>; 2] = [None, Some(Arc::new(MemoryStore::new()))];
    for (store, dialect) in stores.iter().flat_map(|store| Dialect::ALL.map(|dialect| (store, dialect))) {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let mut builder = builder(&time).dialect(dialect).provider(oidc("acme", &provider));
        if let Some(store) = store {
            builder = builder.store(Arc::clone(store));
        }
        let auth = builder.build().unwrap();
        let (browser, url) = back(&auth).await;
        is_signed_in("once", &browser.clone().get(&url).await);
        let mut copy = browser.clone();
        Fault::Callback.is_told("twice", dialect, &copy.get(&url).await);
        assert_eq!(provider.seen("/token").len(), 1, "the code was tried again");
        // With the dialect's cookies alone it is the same state.
        let mut plain = browser;
        begun_by_the_packages(&mut plain, dialect);
        Fault::Callback.is_told("as the packages do", dialect, &plain.get(&url).await);
        // Nor is it good in the last second.
        time.pass(14 * 60 + 59);
        Fault::Callback.is_told("late", dialect, &copy.get(&url).await);
    }
}

/// S30: a store makes that true for all instances of a site, and of fifty racers one gets through.
#[tokio::test]
async fn s30_a_state_is_used_once_at_all_instances() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let instance =
        || builder(&time).provider(oidc("acme", &provider)).store(Arc::clone(&store)).build().unwrap();
    let (first, second) = (instance(), instance());
    let (there, url) = back(&first).await;
    let mut here = browser(&second);
    here.jar = there.jar.clone();
    is_signed_in("at the other one", &here.get(&url).await);
    Fault::Callback.is_told("at the first one", Dialect::V4, &there.clone().get(&url).await);

    let (racer, url) = back(&first).await;
    let runs = (0..50).map(|index| {
        let mut racer = racer.clone();
        racer.app = browser(if index % 2 == 0 { &first } else { &second }).app;
        let url = url.clone();
        async move { racer.get(&url).await }
    });
    let answers = futures_util::future::join_all(runs).await;
    let winners = answers.iter().filter(|answer| crate::site::is_session(answer)).count();
    assert_eq!((winners, provider.seen("/token").len()), (1, 2));
}

/// S30: fifteen minutes, and what the clocks of two servers may differ.
#[tokio::test]
async fn s30_a_sign_in_has_fifteen_minutes() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let (mut quick, url) = back(&auth).await;
        time.pass(15 * 60 - 1);
        is_signed_in("in time", &quick.get(&url).await);
        let (late, url) = back(&auth).await;
        time.pass(15 * 60 + if dialect == Dialect::V3 { 0 } else { 15 });
        Fault::Callback.is_told("too late", dialect, &late.clone().get(&url).await);
        let mut plain = late;
        begun_by_the_packages(&mut plain, dialect);
        Fault::Callback.is_told("too late, as the packages do", dialect, &plain.get(&url).await);
    }
}

/// S30: two of them have nothing in common.
#[tokio::test]
async fn s30_states_are_random() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    for dialect in Dialect::ALL {
        let auth = site(dialect, &time, &provider);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let url = begin(&mut browser(&auth), "acme").await.unwrap();
            for name in ["state", "nonce", "code_challenge"] {
                let value = param(&url, name);
                assert!(value.len() >= 43, "{name} {value}");
                assert!(seen.insert(value), "{name} came twice");
            }
        }
    }
}

/// S32: begun at one provider, finished at another, with the cookies put in place.
#[tokio::test]
async fn s32_another_provider() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let (acme, evil) = (Provider::start(&time), Provider::start(&time));
        let auth = builder(&time)
            .dialect(dialect)
            .provider(oidc("acme", &acme))
            .provider(oidc("evil", &evil))
            .build()
            .unwrap();
        for plain in [false, true] {
            let (mut browser, back) = back(&auth).await;
            if plain {
                begun_by_the_packages(&mut browser, dialect);
            }
            let there = back.replace("/callback/acme", "/callback/evil");
            Fault::Callback.is_told("at the other one", dialect, &browser.get(&there).await);
            assert!(evil.seen("/token").is_empty(), "{dialect}: the code went to somebody else");
            assert_eq!(browser.who().await, "nobody");
        }
        // The cookies of one sign-in under the names of another.
        let mut browser = browser(&auth);
        let first = begin(&mut browser, "acme").await.unwrap();
        let of_acme = browser.jar.clone();
        browser.jar.retain(|name, _| name.contains("csrf"));
        let second = begin(&mut browser, "evil").await.unwrap();
        let values: Vec<String> = of_acme
            .iter()
            .filter(|(name, _)| name.contains(".state."))
            .map(|(_, value)| value.clone())
            .collect();
        for (name, value) in &mut browser.jar {
            if name.contains(".state.") {
                value.clone_from(&values[0]);
            }
        }
        Fault::Callback.is_told("swapped", dialect, &browser.get(&at_provider(&second).await).await);
        let _ = first;
    }
}

/// S32: an answer belongs to the address where its sign-in began.
#[tokio::test]
async fn s32_another_address_of_the_site() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let (mut browser, url) = back(&site(dialect, &time, &provider)).await;
        let moved = builder(&time)
            .dialect(dialect)
            .origin(OriginPolicy::fixed("http://localhost:4000").unwrap())
            .provider(oidc("acme", &provider))
            .build()
            .unwrap();
        browser.app = crate::support::whoami(moved);
        let answer = browser.get(&url).await;
        assert!(!crate::site::is_session(&answer));
        assert!(
            answer.header("location").unwrap().starts_with("http://localhost:4000/api/auth/error?error=")
        );
        assert!(provider.seen("/token").is_empty());
    }
}

/// S32: it leads where it wanted to go when it began, and that is judged again.
#[tokio::test]
async fn s32_s41_where_it_leads() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    let (mut browser, url) = back(&auth).await;
    // Another tab, or a sibling domain, has changed the cookie in between.
    browser.jar.insert("next-auth.callback-url".into(), "https%3A%2F%2Fevil.example".into());
    is_signed_in("its own", &browser.get(&url).await);
    // The query of the callback says nothing of it.
    let (mut browser, url) = back(&auth).await;
    is_signed_in("its own", &browser.get(&format!("{url}&callbackUrl=%2Felsewhere")).await);
    assert!(sign_in(&mut browser, "acme").await.header("location").is_some());
}
