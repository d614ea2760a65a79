use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{Auth, BoxError, RequireAuth, Secret, Session, SessionContext, guard::Rule};
use tonic::{Code, service::Routes};
use tower::Layer;

use crate::support::{
    COOKIE, Greeter, GreeterServer, SECRET, SharedClock, hello, serve, token, verifier, with,
};

fn guarded(guard: RequireAuth) -> Routes {
    Routes::new(guard.layer(GreeterServer::new(Greeter::default())))
}

async fn code(auth: Auth, guard: RequireAuth, role: Option<&str>) -> (Code, String) {
    let server = serve(auth, guarded(guard)).await;
    let bearer = role.map(|role| format!("Bearer {}", token("1", role)));
    let metadata: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    match server.client().await.greet(with(hello(), &metadata)).await {
        Ok(_) => (Code::Ok, String::new()),
        Err(status) => (status.code(), status.message().to_owned()),
    }
}

/// S80: nobody, not allowed and not known are three answers.
#[tokio::test]
async fn s80_refusals_are_kept_apart() {
    let clock = SharedClock::new();
    let failing = || {
        Auth::verifier(Secret::new(SECRET))
            .clock(clock.clone())
            .on_session(async |_: SessionContext| Err::<Session, BoxError>("the database is away".into()))
            .build()
            .unwrap()
    };
    let signed_in = RequireAuth::signed_in;
    let admin = || RequireAuth::role("admin");
    let asked = |answer: Result<bool, &'static str>| {
        RequireAuth::new(Rule::when_async(move |_| async move { Ok(answer?) }))
    };
    for (case, auth, guard, role, expected) in [
        ("nobody", verifier(&clock), signed_in(), None, Code::Unauthenticated),
        ("somebody", verifier(&clock), signed_in(), Some("user"), Code::Ok),
        ("not allowed", verifier(&clock), admin(), Some("user"), Code::PermissionDenied),
        ("allowed", verifier(&clock), admin(), Some("admin"), Code::Ok),
        ("nobody, of a role", verifier(&clock), admin(), None, Code::Unauthenticated),
        ("not known", failing(), signed_in(), Some("user"), Code::Unavailable),
        ("asked, yes", verifier(&clock), asked(Ok(true)), Some("user"), Code::Ok),
        ("asked, no", verifier(&clock), asked(Ok(false)), Some("user"), Code::PermissionDenied),
        ("asked, no answer", verifier(&clock), asked(Err("away")), Some("user"), Code::Unavailable),
        ("a guard for gRPC alone", verifier(&clock), signed_in().grpc(), None, Code::Unauthenticated),
        ("a guard for gRPC alone, somebody", verifier(&clock), signed_in().grpc(), Some("user"), Code::Ok),
    ] {
        let (code, message) = code(auth, guard, role).await;
        assert_eq!(code, expected, "{case}");
        assert_eq!(message.is_empty(), code == Code::Ok, "{case}: {message}");
        assert!(!message.contains("database"), "{case}: {message}");
    }
}

#[tokio::test]
async fn some_methods_of_a_service() {
    let clock = SharedClock::new();
    let collect_only = || RequireAuth::role("admin").matching(["/greeter.v1.Greeter/Collect"]);
    assert_eq!(code(verifier(&clock), collect_only(), Some("user")).await.0, Code::Ok);
    let server = serve(verifier(&clock), guarded(collect_only())).await;
    let bearer = format!("Bearer {}", token("1", "user"));
    let greetings = tokio_stream::iter([hello()]);
    let refused = server.client().await.collect(with(greetings, &[("authorization", &bearer)])).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
}

/// The status stands in the headers, and nothing follows them.
#[tokio::test]
async fn a_refusal_is_trailers_alone() {
    let clock = SharedClock::new();
    let server = serve(verifier(&clock), guarded(RequireAuth::signed_in())).await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<Bytes>>();
    let request = Request::post(format!("http://{}/greeter.v1.Greeter/Greet", server.address))
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(Empty::new())
        .unwrap();
    let response = client.request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["grpc-status"], "16");
    assert_eq!(response.headers()["grpc-message"], "sign in first");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/grpc");
    assert!(http_body::Body::is_end_stream(response.body()), "END_STREAM comes with the headers");
    let rest = response.into_body().collect().await.unwrap();
    assert!(rest.trailers().is_none() && rest.to_bytes().is_empty());
}

/// S80: a page of another site sends forms, which Tonic takes for calls. With the cookie they do nothing.
#[tokio::test]
async fn s80_forms_of_other_sites_call_nothing() {
    let clock = SharedClock::new();
    let cookie = format!("{COOKIE}={}", token("1", "user"));
    let unguarded = Routes::new(GreeterServer::new(Greeter::default()));
    for routes in [unguarded, guarded(RequireAuth::signed_in().grpc())] {
        let server = serve(verifier(&clock), routes).await;
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
        for (kind, status) in [
            ("text/plain", ["16", "7"]),
            ("application/x-www-form-urlencoded", ["16", "7"]),
            ("application/grpc", ["0", "0"]),
        ] {
            let request = Request::post(format!("http://{}/greeter.v1.Greeter/Greet", server.address))
                .header(header::CONTENT_TYPE, kind)
                .header(header::COOKIE, &cookie)
                .body(Full::from(vec![0, 0, 0, 0, 0]))
                .unwrap();
            let response = client.request(request).await.unwrap();
            let in_headers = response.headers().get("grpc-status").cloned();
            let rest = response.into_body().collect().await.unwrap();
            let in_trailers = rest.trailers().and_then(|trailers| trailers.get("grpc-status")).cloned();
            let said = in_headers.or(in_trailers).unwrap();
            assert!(status.contains(&said.to_str().unwrap()), "{kind}: {said:?}");
        }
    }
}
