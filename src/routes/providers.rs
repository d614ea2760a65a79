//! `GET /providers` (`docs/protocol.md` section 6).

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Cx;
use crate::{provider::Provider, reply::Reply};

pub(super) fn list(cx: &Cx) -> Reply {
    let list: Map<String, Value> =
        cx.site.providers.iter().map(|provider| (provider.id().to_owned(), describe(cx, provider))).collect();
    Reply::json(StatusCode::OK, Value::Object(list).to_string()).bare()
}

fn describe(cx: &Cx, provider: &Provider) -> Value {
    let (base, id) = (&cx.base, provider.id());
    json!({
        "id": id,
        "name": provider.name(),
        "type": match provider.kind() {
            "oidc" if !cx.auth.settings.rules.names_oidc => "oauth",
            kind => kind,
        },
        "signinUrl": format!("{base}/signin/{id}"),
        "callbackUrl": format!("{base}/callback/{id}"),
    })
}
