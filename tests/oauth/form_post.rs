//! Answers that a provider posts (`response_mode=form_post`): they come without cookies, and are carried over.

use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use portcullis::{Auth, Dialect};

use crate::{
    provider::{Ending, Params, Provider, pairs},
    site::{Fault, at_provider, begin, browser, builder, is_signed_in, oidc, param},
    support::{Answer, Browser},
    time::Time,
};

fn site(dialect: Dialect, time: &Time, provider: &Provider) -> Auth {
    let acme = oidc("acme", provider).form_post();
    let other = oidc("other", provider).form_post();
    let plain = oidc("plain", provider);
    builder(time).dialect(dialect).provider(acme).provider(other).provider(plain).build().unwrap()
}

/// What the page of the provider makes the browser do: a post from another site, without the cookies that are `Lax`.
pub async fn post(auth: &Auth, id: &str, kind: &str, body: String) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/api/auth/callback/{id}"))
        .header(header::CONTENT_TYPE, kind)
        .header("origin", "https://id.example")
        .header("sec-fetch-site", "cross-site")
        .body(Full::new(body.into()));
    browser(auth).request(request.unwrap()).await
}

/// Begins, and lets the provider post what `change` makes of its answer.
async fn posted(auth: &Auth, change: fn(Params) -> Params) -> (Browser, Answer) {
    let mut browser = browser(auth);
    let url = begin(&mut browser, "acme").await.unwrap();
    assert_eq!(param(&url, "response_mode"), "form_post");
    let back = at_provider(&url).await;
    let fields = change(pairs(back.split_once('?').unwrap().1.as_bytes()));
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let answer = post(auth, "acme", "application/x-www-form-urlencoded", form).await;
    (browser, answer)
}

#[track_caller]
fn carried(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::FOUND);
    assert!(answer.cookies().is_empty(), "the browser's cookies are not known here: {:?}", answer.cookies());
    answer.header("location").unwrap().to_owned()
}

/// S31: the post leads to a request of the browser's own, which has its cookies; the code is sealed meanwhile.
#[tokio::test]
async fn s31_a_form_is_carried_over() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let (mut browser, answer) = posted(&auth, |fields| fields).await;
        let to = carried(&answer);
        assert!(to.starts_with("/api/auth/callback/acme?posted=") && !to.contains("code-"), "{to}");
        assert!(provider.seen("/token").is_empty());
        is_signed_in("carried over", &browser.get(&to).await);
        Fault::Callback.is_told("once more", dialect, &browser.get(&to).await);
    }
}

/// S30, S31: what is missing, empty, repeated or another in a form is a failure, too.
#[tokio::test]
async fn s30_s31_broken_forms_sign_nobody_in() {
    let faults: &[Ending<Params, Fault>] = &[
        ("nothing", |_| Vec::new(), Fault::Callback),
        (
            "no state",
            |fields| fields.into_iter().filter(|(name, _)| name != "state").collect(),
            Fault::Callback,
        ),
        (
            "the state twice",
            |mut fields| {
                fields.push(fields.iter().find(|(name, _)| name == "state").unwrap().clone());
                fields
            },
            Fault::Callback,
        ),
        (
            "another state",
            |mut fields| {
                fields.retain(|(name, _)| name != "state");
                fields.push(("state".into(), "x".into()));
                fields
            },
            Fault::Callback,
        ),
        (
            "no code",
            |fields| fields.into_iter().filter(|(name, _)| name != "code").collect(),
            Fault::Callback,
        ),
        (
            "the code twice",
            |mut fields| {
                fields.push(("code".into(), "code-0".into()));
                fields
            },
            Fault::Callback,
        ),
        (
            "another issuer",
            |mut fields| {
                fields.push(("iss".into(), "https://evil.example".into()));
                fields
            },
            Fault::Callback,
        ),
        (
            "two issuers",
            |mut fields| {
                fields.extend(["a", "b"].map(|issuer| ("iss".to_owned(), issuer.to_owned())));
                fields
            },
            Fault::Callback,
        ),
        (
            "two errors",
            |mut fields| {
                fields.extend(["a", "b"].map(|error| ("error".to_owned(), error.to_owned())));
                fields
            },
            Fault::Callback,
        ),
        (
            "an error",
            |mut fields| {
                fields.push(("error".into(), "access_denied".into()));
                fields
            },
            Fault::Provider,
        ),
    ];
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        for (case, change, fault) in faults {
            let (mut browser, answer) = posted(&auth, *change).await;
            fault.is_told(case, dialect, &browser.get(&carried(&answer)).await);
            assert!(provider.seen("/token").is_empty(), "{case}: a code was redeemed");
        }
    }
}

/// S30: the sealed form is good in the browser that began, for one provider, for a minute.
#[tokio::test]
async fn s30_a_sealed_form_is_bound() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        let (begun, answer) = posted(&auth, |fields| fields).await;
        let to = carried(&answer);
        Fault::Callback.is_told("another browser", dialect, &browser(&auth).get(&to).await);
        for (case, url) in [
            ("another provider", to.replace("/callback/acme", "/callback/other")),
            ("a provider that does not post", to.replace("/callback/acme", "/callback/plain")),
            ("cut", to[..to.len() - 1].to_owned()),
            ("empty", "/api/auth/callback/acme?posted=".to_owned()),
            ("twice", format!("{to}&posted=x")),
            ("garbage", "/api/auth/callback/acme?posted=garbage".to_owned()),
            ("the state cookie", {
                let cookie = begun.jar.iter().find(|(name, _)| name.contains(".state.")).unwrap();
                format!("/api/auth/callback/acme?posted={}", cookie.1)
            }),
        ] {
            Fault::Callback.is_told(case, dialect, &begun.clone().get(&url).await);
        }
        time.pass(59);
        let mut soon = begun.clone();
        is_signed_in("within a minute", &soon.get(&to).await);
        let (mut late, answer) = posted(&auth, |fields| fields).await;
        let to = carried(&answer);
        time.pass(60);
        Fault::Callback.is_told("after a minute", dialect, &late.get(&to).await);
    }
}

/// S31: the query does not mix with what was posted.
#[tokio::test]
async fn s31_query_and_form_do_not_mix() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    let (mut browser, answer) =
        posted(&auth, |fields| fields.into_iter().filter(|(name, _)| name != "code").collect()).await;
    let to = format!("{}&code=code-1", carried(&answer));
    Fault::Callback.is_told("the code in the query", Dialect::V4, &browser.get(&to).await);
}

/// S30: only providers that post may post across sites; all others are stopped at the door.
#[tokio::test]
async fn s30_others_do_not_post() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        for id in ["plain", "nobody", "credentials"] {
            let answer =
                post(&auth, id, "application/x-www-form-urlencoded", "code=a&state=b".to_owned()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{dialect}: {id}");
        }
    }
}

/// S96, S95: bodies of any size and kind.
#[tokio::test]
async fn s95_s96_posts_are_bounded() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    let form = "application/x-www-form-urlencoded";
    let long = format!("code={}", "x".repeat(2 * 1024 * 1024));
    assert_eq!(post(&auth, "acme", form, long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    for (kind, body) in [
        (form, "%"),
        (form, "=&=&==="),
        ("application/json", r#"{"code":["a"],"state":{"b":1}}"#),
        ("application/json", r#"{"code":"a","state":"b"}"#),
        ("multipart/form-data; boundary=x", "--x"),
        ("text/plain", "code=a&state=b"),
    ] {
        let answer = post(&auth, "acme", kind, body.to_owned()).await;
        let to = carried(&answer);
        Fault::Callback.is_told(body, Dialect::V4, &browser(&auth).get(&to).await);
    }
}
