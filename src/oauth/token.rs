//! The token endpoint (RFC 6749 sections 4.1.3, 5 and 6).

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderValue, Method as HttpMethod, Request,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Map, Value, json};

use super::{
    client::{Endpoint, OAuthClient, answered},
    error::{OAuthError, quoted},
};
use crate::{clock::Timestamp, codec::Codec, dialect::Rules, provider::Method, user::ProviderTokens};

/// What the token endpoint has given.
pub(crate) struct Grant {
    pub(crate) tokens: ProviderTokens,
    /// The whole answer.
    pub(super) answer: Value,
}

type Form = Vec<(&'static str, String)>;

impl OAuthClient {
    /// Redeems an authorization code.
    pub(crate) async fn redeem(
        &self,
        code: &str,
        redirect_uri: &str,
        code_verifier: Option<&str>,
    ) -> Result<Grant, OAuthError> {
        let mut form: Form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", redirect_uri.to_owned()),
        ];
        form.extend(code_verifier.map(|verifier| ("code_verifier", verifier.to_owned())));
        self.token_request(form).await.map_err(|error| error.about("the code could not be redeemed"))
    }

    /// Asks for new tokens with a refresh token (RFC 6749 section 6).
    pub(crate) async fn refresh(&self, refresh_token: &str) -> Result<Grant, OAuthError> {
        let form =
            vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh_token.to_owned())];
        self.token_request(form).await
    }

    async fn token_request(&self, form: Form) -> Result<Grant, OAuthError> {
        let endpoint = self.required(Endpoint::Token).await?;
        let answer = self.asked_as_client(&endpoint, form).await?;
        self.grant(answer)
    }

    /// What a provider says of an access token of its own (RFC 7662).
    pub(super) async fn introspected(&self, endpoint: &str, token: &str) -> Result<Value, OAuthError> {
        let form = vec![("token", token.to_owned()), ("token_type_hint", "access_token".to_owned())];
        let answer = self.asked_as_client(endpoint, form).await?;
        match answer.get("active") {
            Some(Value::Bool(true)) => Ok(answer),
            _ => Err(OAuthError::invalid("the access token is not active")),
        }
    }

    /// Posts a form with the proof that it is this client's.
    async fn asked_as_client(&self, endpoint: &str, mut form: Form) -> Result<Value, OAuthError> {
        let authorization = self.authenticate(endpoint, &mut form)?;
        let mut request = Request::new(self.body(&form));
        *request.method_mut() = HttpMethod::POST;
        *request.uri_mut() = endpoint.parse().map_err(|_| OAuthError::invalid("its endpoint is no URL"))?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        let response = self.send(request).await?;
        answered(response.status())?;
        let answer = self.json(&response)?;
        let refused = match self.refuses_grant(&answer) {
            true => OAuthError::grant_refused,
            false => OAuthError::refused,
        };
        // Some tell of an error with a status of success.
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let error = quoted(error.as_str().unwrap_or("an error that is no text"));
            let description = quoted(answer["error_description"].as_str().unwrap_or("no description"));
            let problem = format!("{error} ({description}){}", remedy(&error));
            return Err(refused(problem));
        }
        if !response.status().is_success() {
            return Err(refused(format!("the server answered {}", response.status())));
        }
        Ok(answer)
    }

    /// Whether an answer says that a code or a refresh token will never be taken. Any other error may be this client's
    /// fault, or the server's: with it nothing may be given up.
    fn refuses_grant(&self, answer: &Value) -> bool {
        let says = |(at, text): &(&str, &str)| answer.pointer(at).and_then(Value::as_str) == Some(text);
        says(&("/error", "invalid_grant")) || self.provider.quirks.refresh_refusals.iter().any(says)
    }

    fn body(&self, form: &Form) -> Bytes {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form).extend_pairs(&self.provider.token_params);
        body.finish().into()
    }

    fn grant(&self, answer: Value) -> Result<Grant, OAuthError> {
        let place = answer.pointer(self.provider.quirks.tokens_at).and_then(Value::as_object);
        let members = place.ok_or_else(|| OAuthError::invalid("the answer has no tokens"))?;
        let tokens = tokens(members, self.rules, self.now());
        if let Some(end) = tokens.expires_at {
            self.note_lifetime(Timestamp::from_secs(end));
        }
        match tokens.access_token {
            Some(_) => Ok(Grant { tokens, answer }),
            None => Err(OAuthError::invalid("the answer has no access token")),
        }
    }

    /// Proves who this client is: in the form, or by a header.
    fn authenticate(&self, endpoint: &str, form: &mut Form) -> Result<Option<HeaderValue>, OAuthError> {
        let (client_id, now) = (&self.provider.client_id, self.now());
        let client_secret = self.provider.quirks.client_secret;
        let unsigned = |_| OAuthError::invalid("the client's own key cannot sign");
        match &self.provider.authentication.method {
            Method::Text(secret) | Method::Basic(secret) => return basic(client_id, secret).map(Some),
            Method::Public => {}
            Method::Post(secret) => form.push((client_secret, secret.as_str().to_owned())),
            Method::PrivateKey(jws) => {
                let assertion = assertion(client_id, client_id, endpoint, now);
                form.push(("client_assertion_type", ASSERTION.to_owned()));
                form.push(("client_assertion", jws.encode(&assertion).map_err(unsigned)?));
            }
            Method::Signed { jws, issuer, audience } => {
                let assertion = assertion(issuer, client_id, audience, now);
                form.push((client_secret, jws.encode(&assertion).map_err(unsigned)?));
            }
        }
        form.push((self.provider.quirks.client_id, client_id.clone()));
        Ok(None)
    }
}

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion is good, in seconds.
const ASSERTION_SECONDS: i64 = 60;

/// The claims by which a client proves who it is (RFC 7523 section 3).
fn assertion(issuer: &str, client_id: &str, audience: &str, now: Timestamp) -> Vec<u8> {
    let claims = json!({
        "iss": issuer,
        "sub": client_id,
        "aud": audience,
        "jti": uuid::Uuid::new_v4().to_string(),
        "iat": now.as_secs(),
        "exp": now.as_secs() + ASSERTION_SECONDS,
    });
    claims.to_string().into_bytes()
}

/// RFC 6749 section 2.3.1: both are encoded as in a form before they are put together.
fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, OAuthError> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret)));
    let mut header = HeaderValue::try_from(format!("Basic {pair}"))
        .map_err(|_| OAuthError::invalid("the client secret fits no header"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// The known members, and all others as they are (`docs/protocol.md` section 7.3 step 6).
fn tokens(members: &Map<String, Value>, rules: &Rules, now: Timestamp) -> ProviderTokens {
    let mut rest = members.clone();
    let mut take = |name: &str| match rest.shift_remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        Some(Value::Array(list)) => Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    };
    let mut tokens = ProviderTokens {
        access_token: take("access_token"),
        refresh_token: take("refresh_token"),
        id_token: take("id_token"),
        token_type: take("token_type"),
        scope: take("scope"),
        session_state: take("session_state"),
        ..ProviderTokens::default()
    };
    let given = rest.shift_remove("expires_at").as_ref().and_then(seconds);
    let lasts = rest.get("expires_in").and_then(seconds);
    if !rules.keeps_expires_in {
        rest.shift_remove("expires_in");
    }
    tokens.expires_at = lasts.map(|lasts| now.as_secs().saturating_add(lasts)).or(given);
    if let Some(kind) = tokens.token_type.as_mut().filter(|_| rules.lowers_token_type) {
        kind.make_ascii_lowercase();
    }
    tokens.extra = rest;
    tokens
}

/// A whole number, which some write as text.
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or(number.as_f64().map(|seconds| seconds as i64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// What to do about an error code.
fn remedy(error: &str) -> &'static str {
    match error {
        // The last one is GitHub's.
        "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => {
            "; compare the client id and the client secret with those at the provider, and how it wants them sent \
             (ClientAuthentication)"
        }
        _ => "",
    }
}
