//! What a provider says of itself (OpenID Connect Discovery).

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, Uri};
use portcullis::{
    Auth, Dialect, Endpoints, OAuth,
    http_client::{HttpClient, HyperClient},
};
use serde_json::{Value, json};
use tracing::Level;

use crate::{
    provider::{CLIENT, CLIENT_SECRET, Case, Ending, Provider, Reply},
    site::{Fault, at_provider, begin, browser, builder, is_signed_in, oidc, sign_in, site},
    support::log::Log,
    time::Time,
};

const FAULTS: &[Case<Value, Reply>] = &[
    ("it is of another issuer", |mut document| {
        document["issuer"] = "https://other.example".into();
        Reply::json(document)
    }),
    ("its issuer has a slash more", |mut document| {
        document["issuer"] = format!("{}/", document["issuer"].as_str().unwrap()).into();
        Reply::json(document)
    }),
    ("its issuer has other letters", |mut document| {
        document["issuer"] = document["issuer"].as_str().unwrap().to_uppercase().into();
        Reply::json(document)
    }),
    ("it has no issuer", |mut document| {
        document.as_object_mut().unwrap().remove("issuer");
        Reply::json(document)
    }),
    ("its issuer is no text", |mut document| {
        document["issuer"] = json!([document["issuer"]]);
        Reply::json(document)
    }),
    ("it names no authorization endpoint", |mut document| {
        document.as_object_mut().unwrap().remove("authorization_endpoint");
        Reply::json(document)
    }),
    ("an endpoint is no URL", |mut document| {
        document["token_endpoint"] = "/token".into();
        Reply::json(document)
    }),
    ("an endpoint is in the clear", |mut document| {
        document["token_endpoint"] = "http://id.example/token".into();
        Reply::json(document)
    }),
    ("an endpoint has a password in it", |mut document| {
        document["jwks_uri"] = "https://user:password@id.example/keys".into();
        Reply::json(document)
    }),
    ("it hangs up", |_| Reply::HangUp),
    ("it is slow", |_| Reply::Slow("")),
    ("it is slow in the middle", |_| Reply::Slow("{\"issuer\":")),
    ("it is cut off", |_| Reply::Cut("{\"issuer\":")),
    ("it is truncated", |document| {
        let text = document.to_string();
        Reply::of(200, "application/json", text[..text.len() / 2].to_owned())
    }),
    ("it is huge", Reply::huge),
    ("it has no end", |_| Reply::Endless),
    ("it leads elsewhere", |_| Reply::redirect("/trap")),
    ("it is not there", |_| Reply::error(404, "not_found")),
    ("it is out of order", |_| Reply::error(500, "server_error")),
    ("it is a page", |_| Reply::of(200, "text/html", "<!doctype html>")),
    ("it is empty", |_| Reply::of(200, "application/json", "")),
    ("it is a list", |document| Reply::json(json!([document]))),
    ("it is null", |_| Reply::json(Value::Null)),
];

/// S34, S40: nothing is believed of a document that is not the issuer's own, and nothing waits for it for ever.
#[tokio::test]
async fn s34_s40_broken_documents_send_nobody_anywhere() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        for (case, discovery) in FAULTS {
            provider.plan(|plan| plan.discovery = *discovery);
            let mut browser = browser(&site(dialect, &time, &provider));
            let answer = begin(&mut browser, "acme").await.unwrap_err();
            Fault::Begin.is_told(case, dialect, &answer);
        }
        // It was the document: with a good one it goes on.
        provider.plan(|_| {});
        is_signed_in("good", &sign_in(&mut browser(&site(dialect, &time, &provider)), "acme").await);
    }
}

/// One that nobody answers for.
#[tokio::test]
async fn s40_a_provider_that_is_down() {
    let time = Time::at_noon();
    let address = crate::server::listen().0; // Closed again at once.
    for dialect in Dialect::ALL {
        let provider = OAuth::oidc("acme", format!("http://{address}"), CLIENT, CLIENT_SECRET);
        let auth = builder(&time).dialect(dialect).provider(provider).build().unwrap();
        let answer = begin(&mut browser(&auth), "acme").await.unwrap_err();
        Fault::Begin.is_told("down", dialect, &answer);
    }
}

/// It is asked again once it can be reached: ten seconds later at the soonest.
#[tokio::test]
async fn it_comes_back() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    provider.plan(|plan| plan.discovery = |_| Reply::error(503, "server_error"));
    let mut browser = browser(&site(Dialect::V4, &time, &provider));
    assert!(begin(&mut browser, "acme").await.is_err());
    provider.plan(|_| {});
    time.pass(11);
    is_signed_in("later", &sign_in(&mut browser, "acme").await);
}

/// S39: while it refuses, whoever presses the button makes no request of their own; ten seconds later one does.
#[tokio::test]
async fn s39_a_provider_that_refuses_is_left_alone() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    provider.plan(|plan| plan.discovery = |_| Reply::error(503, "server_error"));
    let mut browser = browser(&site(Dialect::V4, &time, &provider));
    for _ in 0..3 {
        for _ in 0..5 {
            assert!(begin(&mut browser, "acme").await.is_err());
        }
        assert_eq!(provider.seen("/.well-known/openid-configuration").len(), 1);
        time.pass(10);
    }
}

/// S34: a document is the issuer's because it comes from the issuer's own URL over TLS, and says so. OpenID Connect
/// Discovery section 4.2 has the server say `application/json`, and asks nothing of the client; those that are served
/// from a bucket, as clusters do, are of any type. It makes nothing good, either.
#[tokio::test]
async fn s34_a_document_is_known_by_its_issuer_and_not_by_its_type() {
    let types: &[Case<Value, Reply>] = &[
        ("text", |document| Reply::of(200, "text/plain", document.to_string())),
        ("a page", |document| Reply::of(200, "text/html; charset=utf-8", document.to_string())),
        ("bytes", |document| Reply::of(200, "application/octet-stream", document.to_string())),
        ("a type that is none", |document| Reply::of(200, "json", document.to_string())),
        ("no type", |document| Reply::Whole(Response::new(document.to_string().into()))),
    ];
    let foreign: &[Case<Value, Reply>] = &[
        ("text of another issuer", |mut document| {
            document["issuer"] = "https://other.example".into();
            Reply::of(200, "text/plain", document.to_string())
        }),
        ("a page that is one", |_| Reply::of(200, "application/json", "<!doctype html>")),
    ];
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    for (case, discovery) in types {
        provider.plan(|plan| plan.discovery = *discovery);
        is_signed_in(case, &sign_in(&mut browser(&site(Dialect::V4, &time, &provider)), "acme").await);
    }
    for (case, discovery) in foreign {
        provider.plan(|plan| plan.discovery = *discovery);
        let mut browser = browser(&site(Dialect::V4, &time, &provider));
        Fault::Begin.is_told(case, Dialect::V4, &begin(&mut browser, "acme").await.unwrap_err());
    }
}

/// How often the document was asked for since the last time.
fn asked(provider: &Provider) -> usize {
    provider.seen("/.well-known/openid-configuration").len()
}

const HOUR: i64 = 60 * 60;

/// One request is for everybody, for an hour.
#[tokio::test]
async fn sign_ins_share_one_document() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    is_signed_in("first", &sign_in(&mut browser(&auth), "acme").await);
    time.pass(HOUR - 1);
    is_signed_in("second", &sign_in(&mut browser(&auth), "acme").await);
    assert_eq!(asked(&provider), 1);
}

/// An endpoint that has moved is found after an hour; whoever comes first then does not wait for it.
#[tokio::test]
async fn an_endpoint_that_has_moved_is_found() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    let auth = site(Dialect::V4, &time, &provider);
    is_signed_in("before", &sign_in(&mut browser(&auth), "acme").await);
    provider.plan(|plan| {
        plan.discovery = |mut document| {
            let moved = format!("{}/moved", document["issuer"].as_str().unwrap());
            document["authorization_endpoint"] = moved.into();
            Reply::json(document)
        }
    });
    let moved = async || begin(&mut browser(&auth), "acme").await.unwrap().contains("/moved?");
    time.pass(HOUR - 1);
    assert!(!moved().await);
    assert_eq!(asked(&provider), 1);
    time.pass(1);
    assert!(!moved().await, "nobody waits for it");
    let mut found = false;
    for _ in 0..100 {
        found = moved().await;
        if found {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(found);
    assert_eq!(asked(&provider), 1);
}

/// While the document cannot be had, the last one is used: for a day, and not longer.
#[tokio::test]
async fn sign_ins_outlast_a_document_that_is_away() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = site(dialect, &time, &provider);
        is_signed_in("before", &sign_in(&mut browser(&auth), "acme").await);
        provider.plan(|plan| plan.discovery = |_| Reply::error(503, "server_error"));
        for hours in [1, 11, 12] {
            time.pass(hours * HOUR);
            is_signed_in("meanwhile", &sign_in(&mut browser(&auth), "acme").await);
        }
        assert!(asked(&provider) > 1, "{dialect}: nobody asks for it");
        time.pass(1);
        let answer = begin(&mut browser(&auth), "acme").await.unwrap_err();
        Fault::Begin.is_told("after a day", dialect, &answer);
        provider.plan(|_| {});
        time.pass(10);
        is_signed_in("afterwards", &sign_in(&mut browser(&auth), "acme").await);
    }
}

/// The endpoints of an issuer that are given by hand.
type Mend = fn(&str) -> Endpoints;

/// What a document says wrong is mended by hand; the rest of it goes on being used.
#[tokio::test]
async fn s39_endpoints_by_hand_mend_a_document() {
    let cases: &[Ending<Value, Mend, Reply>] = &[
        (
            "browser and tokens",
            |mut document| {
                document["authorization_endpoint"] = "http://id.example/authorize".into();
                document["token_endpoint"] = "/token".into();
                Reply::json(document)
            },
            |issuer| Endpoints::new(format!("{issuer}/authorize"), format!("{issuer}/token")),
        ),
        (
            "keys",
            |mut document| {
                document["jwks_uri"] = "http://id.example/keys".into();
                Reply::json(document)
            },
            |issuer| Endpoints::default().jwks(format!("{issuer}/keys")),
        ),
        (
            "users",
            |mut document| {
                document["userinfo_endpoint"] = "http://id.example/userinfo".into();
                Reply::json(document)
            },
            |issuer| Endpoints::default().userinfo(format!("{issuer}/userinfo")),
        ),
    ];
    for (case, harm, mend) in cases {
        for dialect in Dialect::ALL {
            let time = Time::at_noon();
            let provider = Provider::start(&time);
            provider.plan(|plan| plan.discovery = *harm);
            let acme = oidc("acme", &provider).reading_userinfo();
            let harmed = builder(&time).dialect(dialect).provider(acme.clone()).build().unwrap();
            let answer = begin(&mut browser(&harmed), "acme").await.unwrap_err();
            Fault::Begin.is_told(case, dialect, &answer);
            let mended = acme.endpoints(mend(&provider.issuer));
            let mended = builder(&time).dialect(dialect).provider(mended).build().unwrap();
            is_signed_in(case, &sign_in(&mut browser(&mended), "acme").await);
        }
    }
}

/// S39, S40: an endpoint that no sign-in needs is left out where it may not be asked; the log says so.
#[tokio::test]
async fn s39_s40_what_is_not_needed_is_left_out() {
    for dialect in Dialect::ALL {
        let ((log, _guard), time) = (Log::of(Level::WARN), Time::at_noon());
        let provider = Provider::start(&time);
        provider.plan(|plan| {
            plan.discovery = |mut document| {
                document["userinfo_endpoint"] = "https://[::ffff:127.0.0.1]/userinfo".into();
                document["end_session_endpoint"] = "http://id.example/end".into();
                Reply::json(document)
            }
        });
        let here = provider.issuer.clone();
        let mut browser = browser(&far_away(dialect, &time, &provider));
        let url = begin(&mut browser, "acme").await.unwrap();
        let back = at_provider(&url.replace("https://id.example", &here)).await;
        is_signed_in("without them", &browser.get(&back).await);
        let text = log.text();
        for words in
            ["its userinfo endpoint", "leads to this machine", "its end session endpoint", "is no https URL"]
        {
            assert!(text.contains(words) && text.contains("OAuth::endpoints"), "{words}: {text}");
        }
    }
}

/// All that a sign-in needs, by hand.
fn by_hand(provider: &Provider) -> OAuth {
    let at = |path: &str| format!("{}{path}", provider.issuer);
    oidc("acme", provider).endpoints(Endpoints::new(at("/authorize"), at("/token")).jwks(at("/keys")))
}

/// S34: with all that a sign-in needs by hand, whatever comes in place of a document keeps nobody out. The issuer is the
/// configured one then, in answers as in ID tokens.
#[tokio::test]
async fn s34_an_issuer_without_a_document() {
    let elsewhere: fn(Value) -> Value = |mut claims| {
        claims["iss"] = format!("{}/", claims["iss"].as_str().unwrap()).into();
        claims
    };
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        for (case, discovery) in FAULTS {
            let auth = builder(&time).dialect(dialect).provider(by_hand(&provider)).build().unwrap();
            provider.plan(|plan| plan.discovery = *discovery);
            is_signed_in(case, &sign_in(&mut browser(&auth), "acme").await);
            provider.plan(|plan| (plan.discovery, plan.claims) = (*discovery, elsewhere));
            Fault::Exchange.is_told(case, dialect, &sign_in(&mut browser(&auth), "acme").await);
            provider.plan(|plan| {
                plan.discovery = *discovery;
                plan.answer = |mut params| {
                    params.push(("iss".to_owned(), "https://other.example".to_owned()));
                    params
                }
            });
            Fault::Callback.is_told(case, dialect, &sign_in(&mut browser(&auth), "acme").await);
        }
    }
}

/// S34: a document that is there is read all the same: whether answers always name their issuer stands nowhere else.
#[tokio::test]
async fn s34_endpoints_by_hand_do_not_replace_the_document() {
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        let auth = builder(&time).dialect(dialect).provider(by_hand(&provider)).build().unwrap();
        provider.plan(|plan| plan.names_issuer = true);
        is_signed_in("named", &sign_in(&mut browser(&auth), "acme").await);
        provider.plan(|plan| {
            plan.names_issuer = true;
            plan.answer = |mut params| {
                params.retain(|(name, _)| name != "iss");
                params
            }
        });
        Fault::Callback.is_told("not named", dialect, &sign_in(&mut browser(&auth), "acme").await);
    }
}

/// Where more is needed than was configured, there is no sign-in without the document.
#[tokio::test]
async fn s34_what_is_needed_is_in_the_document_or_by_hand() {
    let time = Time::at_noon();
    let provider = Provider::start(&time);
    provider.plan(|plan| plan.discovery = |_| Reply::error(404, "not_found"));
    for acme in [
        by_hand(&provider).reading_userinfo(),
        oidc("acme", &provider).endpoints(Endpoints::new(
            format!("{}/authorize", provider.issuer),
            format!("{}/token", provider.issuer),
        )),
    ] {
        let auth = builder(&time).provider(acme).build().unwrap();
        Fault::Callback.is_told(
            "something is missing",
            Dialect::V4,
            &sign_in(&mut browser(&auth), "acme").await,
        );
        assert!(provider.seen("/token").is_empty());
    }
}

/// A site whose provider is at `https://id.example`, which really is the one on the socket.
fn far_away(dialect: Dialect, time: &Time, provider: &Provider) -> Auth {
    let (client, here) = (Arc::new(HyperClient::new().unwrap()), provider.issuer.clone());
    let send = move |mut request: Request<Bytes>| {
        let (client, uri) = (Arc::clone(&client), request.uri().to_string());
        assert!(uri.starts_with("https://id.example/"), "{uri} was asked");
        *request.uri_mut() = uri.replace("https://id.example", &here).parse::<Uri>().unwrap();
        async move { client.send(request).await }
    };
    provider.rename("https://id.example");
    let oidc = OAuth::oidc("acme", "https://id.example", CLIENT, CLIENT_SECRET);
    builder(time).dialect(dialect).provider(oidc).http_client(send).build().unwrap()
}

/// S39, S40: a document from outside leads neither to this machine nor into the clear.
#[tokio::test]
async fn s39_s40_endpoints_do_not_lead_inside() {
    let faults: &[Case<Value, Reply>] = &[
        ("tokens from this machine", |mut document| {
            document["token_endpoint"] = "http://127.0.0.1:80/token".into();
            Reply::json(document)
        }),
        ("tokens from this machine, with TLS", |mut document| {
            document["token_endpoint"] = "https://localhost/token".into();
            Reply::json(document)
        }),
        ("keys in the clear", |mut document| {
            document["jwks_uri"] = "http://id.example/keys".into();
            Reply::json(document)
        }),
        ("keys from this machine", |mut document| {
            document["jwks_uri"] = "https://[::ffff:127.0.0.1]/keys".into();
            Reply::json(document)
        }),
        ("a browser to this machine", |mut document| {
            document["authorization_endpoint"] = "http://localhost:1/authorize".into();
            Reply::json(document)
        }),
        ("a script for the browser", |mut document| {
            document["authorization_endpoint"] = "javascript:alert(1)".into();
            Reply::json(document)
        }),
    ];
    for dialect in Dialect::ALL {
        let time = Time::at_noon();
        let provider = Provider::start(&time);
        for (case, discovery) in faults {
            provider.plan(|plan| plan.discovery = *discovery);
            let mut browser = browser(&far_away(dialect, &time, &provider));
            let answer = begin(&mut browser, "acme").await.unwrap_err();
            Fault::Begin.is_told(case, dialect, &answer);
        }
        provider.plan(|_| {});
        let url = begin(&mut browser(&far_away(dialect, &time, &provider)), "acme").await.unwrap();
        assert!(url.starts_with("https://id.example/authorize?"), "{url}");
    }
}

/// S39: an issuer in the clear is refused before the site starts.
#[test]
fn s39_issuers_in_the_clear_are_no_configuration() {
    for issuer in
        ["http://id.example", "ftp://id.example", "id.example", "https://a:b@id.example", "http://10.0.0.1"]
    {
        let oidc = OAuth::oidc("acme", issuer, CLIENT, CLIENT_SECRET);
        let error = builder(&Time::at_noon()).provider(oidc).build().unwrap_err();
        assert!(
            error.to_string().contains("serve it over https; http is for localhost only"),
            "{issuer}: {error}"
        );
    }
}
