//! What a client sees of a refusal.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    future::{Future, pending},
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use regex::Regex;
use tower::{Layer, ServiceExt, service_fn};

use super::{
    CLAIMS, SALT, SECRET, codecs, forge,
    hostile::{V3_ENCRYPTED, flips},
};
use crate::{Auth, AuthLayer, Clock, Credentials, Dialect, Field, OriginPolicy, Secret, Submitted, User};

const NOW: u64 = 1_768_478_400;

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(pending())
    }
}

/// S10: whatever is wrong with a token, the response is the same in every byte but the random ones.
#[tokio::test]
async fn s10_outside_all_failures_look_alike() {
    for (dialect, codec) in Dialect::ALL.into_iter().zip(codecs(&Secret::new(SECRET))) {
        let auth = auth(dialect);
        let cookie = if dialect == Dialect::V5 { SALT } else { "next-auth.session-token" };
        let good =
            codec.encode(format!(r#"{{"sub":"1","iat":{NOW},"exp":{}}}"#, NOW + 60).as_bytes()).unwrap();

        let mut bad: Vec<_> = flips(&good).collect();
        bad.extend(["x", "a.b.c", "a.b.c.d.e", "....", ".."].map(str::to_owned));
        bad.push(forge::gcm(r#"{"alg":"A256KW","enc":"A256GCM"}"#, CLAIMS));
        bad.push(forge::cbc(V3_ENCRYPTED, CLAIMS));
        bad.push(codec.encode(b"no claims").unwrap());
        bad.push(codec.encode(br#"{"sub":"1","iat":1,"exp":2}"#).unwrap());

        let mut refusals = BTreeSet::new();
        for token in bad {
            refusals.insert(answer(&auth, &format!("{cookie}={token}")).await);
        }
        assert_eq!(refusals.len(), 1, "{dialect}: {:?}", refusals.iter().take(2));
        assert!(!refusals.contains(&answer(&auth, &format!("{cookie}={good}")).await), "{dialect}");
    }
}

fn auth(dialect: Dialect) -> Auth {
    let nobody = Credentials::new(|_: Submitted| async { Ok::<_, Infallible>(None::<User>) });
    Auth::builder(Secret::new(SECRET))
        .dialect(dialect)
        .origin(OriginPolicy::fixed("http://localhost:3000").unwrap())
        .clock(Stopped)
        .provider(nobody.field(Field::text("username", "Username")))
        .build()
        .unwrap()
}

/// Status, headers and body of `GET /session`.
async fn answer(auth: &Auth, cookies: &str) -> String {
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let request =
        Request::get("/api/auth/session").header(header::COOKIE, cookies).body(Full::default()).unwrap();
    let response = AuthLayer::new(auth.clone()).layer(inner).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = format!("{} {:?} {body:?}", parts.status, parts.headers);
    // The CSRF cookie is random.
    Regex::new("[0-9a-f]{64}").unwrap().replace_all(&text, "RANDOM").into_owned()
}
