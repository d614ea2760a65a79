//! What the targets share: the layer in front of a service that asks who is there, and one way to send it a
//! request. A target finds something when this panics or answers with a status that no input may cause.

use std::{convert::Infallible, sync::LazyLock};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, Credentials, Dialect, Field, OriginPolicy, Secret, Submitted, User, get_server_session,
};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, ServiceExt, service_fn};

pub const SECRET: &str = "f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P";
pub const ORIGIN: &str = "http://localhost:3000";

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().unwrap());
static AUTHS: LazyLock<[Auth; 3]> = LazyLock::new(|| Dialect::ALL.map(auth));

fn auth(dialect: Dialect) -> Auth {
    let users = Credentials::new(async |form: Submitted| {
        Ok::<_, Infallible>((form.get("password") == Some("hunter2")).then(|| User::new("1")))
    });
    Auth::builder(Secret::new(SECRET))
        .dialect(dialect)
        .origin(OriginPolicy::fixed(ORIGIN).unwrap())
        .provider(
            users.field(Field::text("username", "Username")).field(Field::password("password", "Password")),
        )
        .build()
        .unwrap()
}

/// Sends the request to the layer of each dialect. Each answer is given to `check` with who was there.
pub fn send(request: &Request<Bytes>, check: impl Fn(Dialect, &Response<Option<String>>)) {
    for (dialect, auth) in Dialect::ALL.into_iter().zip(AUTHS.iter()) {
        let whoami = service_fn(async |request: Request<Full<Bytes>>| {
            let session = get_server_session(&request).expect("the layer is there and no callback fails");
            let mut response = Response::new(Full::<Bytes>::default());
            response.extensions_mut().insert(Who(session.map(|session| session.subject().to_owned())));
            Ok::<_, Infallible>(response)
        });
        let service = AuthLayer::new(auth.clone()).layer(whoami);
        let response = RUNTIME.block_on(service.oneshot(request.clone().map(Full::new))).unwrap();
        assert_ne!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let who = response.extensions().get::<Who>().and_then(|Who(subject)| subject.clone());
        check(dialect, &response.map(|_| who));
    }
}

#[derive(Clone)]
struct Who(Option<String>);

/// The name of the session cookie over http.
pub fn session_cookie(dialect: Dialect) -> &'static str {
    if dialect == Dialect::V5 { "authjs.session-token" } else { "next-auth.session-token" }
}
