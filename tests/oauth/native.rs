//! Programs that are no browsers sign in through one (RFC 8252): the site passes the provider's answer on to them.

use http::StatusCode;
use portcullis::{Auth, Dialect, OriginPolicy, Secret};

use crate::{
    form_post::post,
    provider::{Provider, pairs},
    site::{Fault, at_provider, begin, begin_for, browser, builder, is_session, oidc, param, with_params},
    support::{Answer, Browser, ORIGIN},
    time::Time,
};

/// Where the program listens.
const LISTENER: &str = "http://127.0.0.1:4321/api/auth/callback/acme";

fn site(dialect: Dialect, time: &Time, provider: &Provider) -> Auth {
    let providers = [oidc("acme", provider), oidc("other", provider)];
    let builder = builder(time).dialect(dialect).native_clients(true);
    providers.into_iter().fold(builder, |builder, provider| builder.provider(provider)).build().unwrap()
}

/// The program begins, and the user's own browser goes to the provider and comes back.
async fn back_from_provider(program: &mut Browser, user: &mut Browser) -> Answer {
    let url = begin_for(program, "acme", "", LISTENER).await.unwrap();
    user.get(&at_provider(&url).await).await
}

/// What is passed on to the program.
#[track_caller]
fn passed_on(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::FOUND);
    assert!(!is_session(answer), "the browser is nobody's");
    let location = answer.header("location").unwrap();
    location.strip_prefix(LISTENER).unwrap_or_else(|| panic!("not passed on, but to {location}"))
}

#[track_caller]
fn signed_in(answer: &Answer) {
    assert!(is_session(answer), "no session: {:?}", answer.header("location"));
    assert_eq!(answer.header("location"), Some(ORIGIN), "a program is no place to go to");
}

#[tokio::test]
async fn the_program_is_signed_in_and_the_browser_is_not() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let (mut program, mut user) = (browser(&auth), browser(&auth));
        let answer = back_from_provider(&mut program, &mut user).await;
        let query = passed_on(&answer).to_owned();
        assert!(provider.seen("/token").is_empty(), "{dialect}: the code is the program's to use");
        signed_in(&program.get(&format!("/api/auth/callback/acme{query}")).await);
        let token = provider.seen("/token");
        assert_eq!(token[0].form["redirect_uri"], format!("{ORIGIN}/api/auth/callback/acme"), "{dialect}");
        assert_eq!(user.who().await, "nobody", "{dialect}");
        // Its checks are used up, so what comes once more belongs to whoever else may listen there.
        passed_on(&program.get(&format!("/api/auth/callback/acme{query}")).await);
        assert!(provider.seen("/token").is_empty(), "{dialect}");
    }
}

/// S30, S31: what is passed on is of use to the program alone.
#[tokio::test]
async fn s30_s31_nobody_else_can_use_what_is_passed_on() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let (mut program, mut user, mut thief) = (browser(&auth), browser(&auth), browser(&auth));
        let query = passed_on(&back_from_provider(&mut program, &mut user).await).to_owned();
        // One that has begun a sign-in of its own has other checks.
        let _ = begin_for(&mut thief, "acme", "", LISTENER).await.unwrap();
        let answer = thief.get(&format!("/api/auth/callback/acme{query}")).await;
        assert_eq!(passed_on(&answer), query, "{dialect}: it belongs to somebody who listens there");
        assert!(provider.seen("/token").is_empty(), "{dialect}");
        signed_in(&program.get(&format!("/api/auth/callback/acme{query}")).await);
    }
}

/// S31: at a provider without PKCE and `nonce`, too, what is passed on fits into no other sign-in: whoever has taken the
/// port away would put the code into one of their own.
#[tokio::test]
async fn s31_what_is_passed_on_fits_no_other_sign_in() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let acme = oidc("acme", &provider).without_pkce().without_nonce();
        let auth = builder(&time).dialect(dialect).native_clients(true).provider(acme).build().unwrap();
        let (mut program, mut user, mut thief) = (browser(&auth), browser(&auth), browser(&auth));
        let query = passed_on(&back_from_provider(&mut program, &mut user).await).to_owned();
        for callback_url in [LISTENER, "/"] {
            let own = begin_for(&mut thief, "acme", "", callback_url).await.unwrap();
            let injected = with_params(&format!("/api/auth/callback/acme{query}"), |params| {
                let others = params.into_iter().filter(|(name, _)| name != "state");
                others.chain([("state".to_owned(), param(&own, "state"))]).collect()
            });
            assert!(!is_session(&thief.get(&injected).await), "{dialect}: {callback_url}");
        }
        assert!(provider.seen("/token").is_empty(), "{dialect}");
        signed_in(&program.get(&format!("/api/auth/callback/acme{query}")).await);
    }
}

/// S30, S41: only states that were sealed here lead away, and to no other address.
#[tokio::test]
async fn s30_s41_a_state_of_somebody_else_leads_nowhere() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let (mut program, mut user) = (browser(&auth), browser(&auth));
        let url = begin_for(&mut program, "acme", "", LISTENER).await.unwrap();
        let back = at_provider(&url).await;
        let elsewhere = Auth::builder(Secret::new("Wq2Zr8Ls4Xc6Vb1Nm9Kj3Hg5Fd7Sa0Po"))
            .origin(OriginPolicy::fixed(ORIGIN).unwrap())
            .clock(time.clone())
            .dialect(dialect)
            .native_clients(true)
            .provider(oidc("acme", &provider))
            .build()
            .unwrap();
        let foreign = begin_for(&mut browser(&elsewhere), "acme", "", LISTENER).await.unwrap();
        for (case, state) in [
            ("none", String::new()),
            ("a made up one", "x".repeat(43)),
            ("cut", param(&url, "state")[1..].to_owned()),
            ("of another site", param(&foreign, "state")),
        ] {
            let changed = with_params(&back, |params| {
                let others = params.into_iter().filter(|(name, _)| name != "state");
                others.chain([("state".to_owned(), state.clone())]).collect()
            });
            Fault::Callback.is_told(case, dialect, &user.get(&changed).await);
        }
        time.pass(16 * 60);
        Fault::Callback.is_told("too late", dialect, &user.get(&back).await);
    }
}

/// A callback URL that is not the program's is judged like any other, and the browser that began goes on.
#[tokio::test]
async fn s41_other_addresses_are_callback_urls() {
    for callback_url in [
        "http://127.0.0.1:4321/",
        "http://localhost:4321/api/auth/callback/acme",
        "http://10.0.0.1:4321/api/auth/callback/acme",
        "https://127.0.0.1:4321/api/auth/callback/acme",
        "http://127.0.0.1:4321/api/auth/callback/other",
    ] {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(Dialect::V4, &time, &provider);
        let (mut program, mut user) = (browser(&auth), browser(&auth));
        let url = begin_for(&mut program, "acme", "", callback_url).await.unwrap();
        let back = at_provider(&url).await;
        Fault::Callback.is_told(callback_url, Dialect::V4, &user.get(&back).await);
        signed_in(&program.get(&back).await);
    }
}

#[tokio::test]
async fn off_unless_it_is_asked_for() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = builder(&time).dialect(dialect).provider(oidc("acme", &provider)).build().unwrap();
        let (mut program, mut user) = (browser(&auth), browser(&auth));
        let answer = back_from_provider(&mut program, &mut user).await;
        Fault::Callback.is_told("not asked for", dialect, &answer);
    }
}

/// That the user says no is for the program to hear.
#[tokio::test]
async fn a_refusal_is_passed_on_too() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let (mut program, mut user) = (browser(&auth), browser(&auth));
        let url = begin_for(&mut program, "acme", "", LISTENER).await.unwrap();
        let state = param(&url, "state");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("error", "access_denied"), ("state", &state), ("unknown", "1")])
            .finish();
        let answer = user.get(&format!("/api/auth/callback/acme?{query}")).await;
        let query = passed_on(&answer).to_owned();
        let names: Vec<_> = pairs(&query.as_bytes()[1..]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["posted", "state"], "{dialect}: what is known of answers, and nothing else");
        Fault::Provider.is_told(
            "no",
            dialect,
            &program.get(&format!("/api/auth/callback/acme{query}")).await,
        );
    }
}

/// A browser that has begun a sign-in of its own meanwhile goes on with that.
#[tokio::test]
async fn a_browser_goes_on_as_usual() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V5, &time, &provider);
    let (mut program, mut user) = (browser(&auth), browser(&auth));
    let own = begin(&mut user, "acme").await.unwrap();
    passed_on(&back_from_provider(&mut program, &mut user).await);
    let answer = user.get(&at_provider(&own).await).await;
    assert!(is_session(&answer));
    assert_eq!(answer.header("location"), Some(&*format!("{ORIGIN}/after")));
}

/// A form that the provider posts is sealed all the way to the program.
#[tokio::test]
async fn a_posted_answer_is_passed_on() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let acme = oidc("acme", &provider).form_post();
        let auth = builder(&time).dialect(dialect).provider(acme).native_clients(true).build().unwrap();
        let (mut program, mut user) = (browser(&auth), browser(&auth));
        let url = begin_for(&mut program, "acme", "", LISTENER).await.unwrap();
        let back = at_provider(&url).await;
        let form = back.split_once('?').unwrap().1.to_owned();
        let posted = post(&auth, "acme", "application/x-www-form-urlencoded", form).await;
        let answer = user.get(posted.header("location").unwrap()).await;
        let query = passed_on(&answer).to_owned();
        assert!(!query.contains("code-") && query.contains("state="), "{query}");
        signed_in(&program.get(&format!("/api/auth/callback/acme{query}")).await);
    }
}
