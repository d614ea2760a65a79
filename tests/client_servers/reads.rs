//! What is read of a server.

use portcullis::Dialect;
use serde_json::json;

use crate::visit::{Visit, name};

/// The token, with which the dialect shows.
pub async fn csrf_token(visit: Visit) {
    let client = visit.client();
    assert_eq!(client.dialect(), visit.is_told.then(|| visit.dialect()));
    let token = client.get_csrf_token().await.unwrap();
    assert!(token.len() == 64 && token.chars().all(|c| c.is_ascii_hexdigit()), "{token}");
    assert_eq!(client.get_csrf_token().await.unwrap(), token, "its cookie came back");
    assert_ne!(visit.client().get_csrf_token().await.unwrap(), token, "of another visitor");
    assert_eq!(client.dialect(), Some(visit.believed()));
}

pub async fn providers(visit: Visit) {
    let providers = visit.client().get_providers().await.unwrap();
    let oidc = if visit.dialect() == Dialect::V5 { "oidc" } else { "oauth" };
    let expected =
        [("credentials", "Credentials", "credentials"), ("oidc", "OIDC", oidc), ("email", "Email", "email")];
    let named = providers.iter().map(|provider| (&*provider.id, &*provider.name, &*provider.kind));
    assert_eq!(named.collect::<Vec<_>>(), expected);
    for provider in &providers {
        assert_eq!(provider.signin_url, visit.at(&format!("/api/auth/signin/{}", provider.id)));
        assert_eq!(provider.callback_url, visit.at(&format!("/api/auth/callback/{}", provider.id)));
    }
}

pub async fn nobody(visit: Visit) {
    let client = visit.client();
    assert_eq!(client.get_session().await.unwrap(), None);
    let updated = client.update(json!({ "name": "Mallory" })).await;
    if visit.dialect() == Dialect::V3 {
        visit.has_no_update(&updated.unwrap_err());
    } else {
        assert_eq!(updated.unwrap(), None);
    }
    assert_eq!(client.get_session().await.unwrap(), None);
}

/// Two jars are two visitors, and the clients of one jar are one.
pub async fn visitors(visit: Visit) {
    let (one, other) = (visit.client(), visit.client());
    let beside = visit.builder().jar(one.jar().clone()).build().unwrap();
    assert_eq!(visit.sign_in(&one).await.error, None);
    assert_eq!(name(&one).await.as_deref(), Some("J Smith"));
    assert_eq!(name(&beside).await.as_deref(), Some("J Smith"));
    assert_eq!(name(&other).await, None);
}
