use portcullis::{
    Auth, Dialect, OriginPolicy, Secret,
    codec::{Codec, JweCbc},
};
use tonic::{Code, service::Routes};

use crate::support::{
    COOKIE, Greeter, GreeterServer, NOW, SECRET, SharedClock, hello, serve, token, verifier, with,
};

/// Who is there, or the code.
async fn who(auth: Auth, metadata: &[(&'static str, &str)]) -> Result<String, Code> {
    let server = serve(auth, Routes::new(GreeterServer::new(Greeter::default()))).await;
    let answer = server.client().await.greet(with(hello(), metadata)).await;
    answer.map(|reply| reply.into_inner().text).map_err(|status| status.code())
}

#[tokio::test]
async fn from_the_cookie_and_from_the_header() {
    let clock = SharedClock::new();
    let token = token("1", "user");
    let cookie = format!("theme=dark; {COOKIE}={token}");
    let bearer = format!("Bearer {token}");
    let site = || {
        Auth::builder(Secret::new(SECRET))
            .origin(OriginPolicy::fixed("http://localhost:3000").unwrap())
            .clock(clock.clone())
            .build()
            .unwrap()
    };
    for auth in [verifier(&clock), site()] {
        assert_eq!(who(auth.clone(), &[("cookie", &cookie)]).await.unwrap(), "1");
        assert_eq!(who(auth.clone(), &[("authorization", &bearer)]).await.unwrap(), "1");
        assert_eq!(who(auth, &[]).await, Err(Code::Unauthenticated));
    }
    let name = "__Secure-authjs.session-token";
    let claims = format!(r#"{{"sub":"5","iat":{NOW},"exp":{}}}"#, NOW + 60);
    let v5 = JweCbc::new(&Secret::new(SECRET), name).encode(claims.as_bytes()).unwrap();
    assert_eq!(who(verifier(&clock), &[("cookie", &format!("{name}={v5}"))]).await.unwrap(), "5");
    let only_v4 = Auth::verifier(Secret::new(SECRET)).dialects([Dialect::V4]).clock(clock).build().unwrap();
    assert_eq!(who(only_v4, &[("cookie", &format!("{name}={v5}"))]).await, Err(Code::Unauthenticated));
}

/// S80: the rules for cookies and headers are those of HTTP.
#[tokio::test]
async fn s80_metadata_is_judged_like_headers() {
    let clock = SharedClock::new();
    let (good, other) = (token("1", "user"), token("2", "user"));
    let mut tampered = good.clone();
    tampered.replace_range(60..61, if &good[60..61] == "A" { "B" } else { "A" });
    let bearer = format!("Bearer {good}");
    let other_bearer = format!("Bearer {other}");
    for (case, metadata) in [
        ("a tampered cookie", &[("cookie", &*format!("{COOKIE}={tampered}"))][..]),
        ("a tampered token", &[("authorization", &*format!("Bearer {tampered}"))]),
        ("rubbish", &[("authorization", "Bearer rubbish")]),
        ("nothing", &[("authorization", "Bearer ")]),
        ("another scheme", &[("authorization", &*format!("Basic {good}"))]),
        ("the scheme in lower case", &[("authorization", &*format!("bearer {good}"))]),
        ("two headers", &[("authorization", &*bearer), ("authorization", &*other_bearer)]),
        ("the same header twice", &[("authorization", &*bearer), ("authorization", &*bearer)]),
        (
            "a bad cookie and a good token",
            &[("cookie", &*format!("{COOKIE}=x")), ("authorization", &*bearer)],
        ),
        ("cookies of two people", &[("cookie", &*format!("{COOKIE}={good}; {COOKIE}={other}"))]),
        (
            "cookies of two people, in two lines",
            &[("cookie", &*format!("{COOKIE}={good}")), ("cookie", &*format!("{COOKIE}={other}"))],
        ),
        ("binary metadata", &[("authorization-bin", &*bearer), ("cookie-bin", &*format!("{COOKIE}={good}"))]),
        ("a name that means nothing", &[("x-user", "1"), ("x-authenticated-user", "1")]),
    ] {
        assert_eq!(who(verifier(&clock), metadata).await, Err(Code::Unauthenticated), "{case}");
    }
    assert_eq!(
        who(verifier(&clock), &[("x-trace-bin", "\u{1}\u{2}"), ("authorization", &bearer)]).await.unwrap(),
        "1"
    );
    clock.advance(3600 + 15);
    assert_eq!(
        who(verifier(&clock), &[("authorization", &bearer)]).await,
        Err(Code::Unauthenticated),
        "expired"
    );
}

/// S80: without the layer nobody is taken for a visitor.
#[tokio::test]
async fn s80_without_the_layer_it_is_an_error() {
    use portcullis::{get_server_session, tonic::SessionRequestExt};
    let request = with(hello(), &[("authorization", &format!("Bearer {}", token("1", "user")))]);
    assert!(get_server_session(&request).is_err());
    let status = request.token::<portcullis::Claims>().unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("AuthLayer"), "{}", status.message());
}
