//! Sign-in at a provider of OpenID Connect, by a program that hands over the URL where the browser ends.

use portcullis::{
    Dialect,
    client::{SignIn, SignInOptions},
};

use crate::{
    browser::{led_to, param},
    site::Server,
    visit::{Visit, name, same_page},
};

pub async fn provider_and_back(visit: Visit) {
    let client = visit.client();
    let options = SignInOptions::new().callback_url("/protected");
    let outcome = client.sign_in("oidc", options, &[]).await.unwrap();
    let SignIn::Redirect(url) = outcome else { panic!("{outcome:?}") };
    assert!(url.starts_with(&format!("{}/authorize?", visit.site.provider.issuer)), "{url}");
    let callback = visit.at("/api/auth/callback/oidc");
    assert_eq!(param(&url, "redirect_uri").as_deref(), Some(&*callback));
    assert_eq!(param(&url, "code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(param(&url, "code_challenge").unwrap().len(), 43);
    // Servers of v5 that rely on PKCE send none.
    assert!(param(&url, "state").is_some() || visit.dialect() == Dialect::V5, "{url}");
    assert_eq!(name(&client).await, None);

    let back = led_to(&url).await;
    assert!(back.starts_with(&callback), "{back}");
    let done = client.complete_sign_in(&back).await.unwrap();
    assert_eq!((&done.error, done.ok), (&None, true), "{done:?}");
    assert_eq!(done.url.as_deref().map(same_page), Some(&*visit.at("/protected")));
    assert_eq!(name(&client).await.as_deref(), Some("alice"));
}

/// What the last argument has is in the URL of the provider.
pub async fn authorization_params(visit: Visit) {
    let client = visit.client();
    let params = [("login_hint", "bob"), ("prompt", "login consent"), ("x", "a&b=c")];
    let outcome = client.sign_in("oidc", SignInOptions::new(), &params).await.unwrap();
    let url = outcome.url().unwrap();
    for (param_name, value) in params {
        assert_eq!(param(url, param_name).as_deref(), Some(value));
    }
    assert_eq!(client.complete_sign_in(&led_to(url).await).await.unwrap().error, None);
    assert_eq!(name(&client).await.as_deref(), Some("bob"));
}

/// With v5 those who stay on the page are told where to go; with v3 and v4 nobody stays.
pub async fn refused_by_the_provider(visit: Visit) {
    let client = visit.client();
    let options = SignInOptions::new().redirect(false);
    let outcome = client.sign_in("oidc", options, &[("login_hint", "cancel")]).await.unwrap();
    let stays = visit.dialect() == Dialect::V5;
    assert_eq!(matches!(outcome, SignIn::Response(_)), stays, "{outcome:?}");
    assert_eq!(outcome.error(), None);
    let done = client.complete_sign_in(&led_to(outcome.url().unwrap()).await).await.unwrap();
    assert_eq!(done.error.as_deref(), Some(error_of(visit.dialect())), "{done:?}");
    assert_eq!((done.url, name(&client).await), (None, None));
}

/// The code of Auth.js for a provider that answers with an error.
pub fn error_of(dialect: Dialect) -> &'static str {
    if dialect == Dialect::V5 { "OAuthCallbackError" } else { "Callback" }
}

/// Such a site leads back to where sign-ins begin, and names no error. The demo takes every profile: for sites of this
/// crate the tests of `oauth` have it.
pub async fn profile_of_no_use(visit: Visit) {
    let Server::Npm(dialect) = visit.site.server else { return };
    let client = visit.client();
    let begun = client.sign_in("oidc", SignInOptions::new(), &[("login_hint", "useless")]).await.unwrap();
    let done = client.complete_sign_in(&led_to(begun.url().unwrap()).await).await.unwrap();
    let error = if dialect == Dialect::V5 { "OAuthCallback" } else { "Callback" };
    assert_eq!((done.error.as_deref(), done.url), (Some(error), None));
    assert_eq!(name(&client).await, None);
}

/// What came back is of no use without the cookies of the client that began.
pub async fn of_another_visitor(visit: Visit) {
    let (victim, attacker) = (visit.client(), visit.client());
    let begun = victim.sign_in("oidc", SignInOptions::new(), &[("login_hint", "carol")]).await.unwrap();
    let back = led_to(begun.url().unwrap()).await;
    let done = attacker.complete_sign_in(&back).await.unwrap();
    assert!(done.error.is_some(), "{done:?}");
    assert_eq!(name(&attacker).await, None);
}
