//! Who has signed in: the ID token, the userinfo endpoint (OpenID Connect Core section 5.3), and what else a provider
//! has to be asked for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method as HttpMethod, Request,
    header::{ACCEPT, AUTHORIZATION},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use url::Url;

use super::{
    client::{Endpoint, OAuthClient, answered},
    error::OAuthError,
    token::Grant,
};
use crate::{
    error::BoxError,
    provider::{Profile, Protocol},
    user::User,
};

impl OAuthClient {
    /// What the provider says of the user whom a grant is about. `posted` is what it has posted beside the code.
    pub(crate) async fn profile(
        &self,
        grant: &Grant,
        nonce: Option<&str>,
        posted: Option<Value>,
    ) -> Result<Profile, OAuthError> {
        let access_token = grant.tokens.access_token.as_deref();
        let claims = match (&grant.tokens.id_token, self.provider.protocol) {
            (Some(id_token), Protocol::Oidc) => Some(self.verified(id_token, nonce, access_token).await?),
            (None, Protocol::Oidc) => return Err(OAuthError::invalid("the answer has no ID token")),
            (_, Protocol::OAuth2) => None,
        };
        let mut members = match (claims, self.provider.quirks.profile_in_tokens) {
            (None, Some(pointer)) => {
                let place = grant.answer.pointer(pointer);
                place
                    .and_then(carried)
                    .ok_or_else(|| OAuthError::invalid("the token response has no profile"))?
            }
            (claims, _) if self.provider.reads_userinfo => {
                let userinfo = self.userinfo(grant, access_token.unwrap_or_default()).await;
                let userinfo = userinfo.map_err(|error| error.about("the userinfo endpoint"))?;
                joined(claims, userinfo)?
            }
            (claims, _) => Value::Object(claims.unwrap_or_default()),
        };
        self.add_more(&mut members, grant, posted).await;
        if let Some(adapt) = self.provider.quirks.adapt {
            adapt(&mut members);
        }
        Ok(Profile::new(members, self.now()))
    }

    /// What else belongs to a profile: resources that are read, what stands beside the tokens, and what was posted.
    async fn add_more(&self, members: &mut Value, grant: &Grant, posted: Option<Value>) {
        let (Value::Object(members), quirks) = (members, &self.provider.quirks) else { return };
        let access_token = grant.tokens.access_token.as_deref().unwrap_or_default();
        for (name, url) in quirks.more {
            match self.resource(url, access_token).await {
                Ok(more) => {
                    members.insert((*name).to_owned(), more);
                }
                Err(error) => {
                    tracing::warn!(provider = %self.provider.id, url, "what belongs to a profile was left out: {error}");
                }
            }
        }
        for (name, pointer) in quirks.from_tokens {
            if let Some(value) = grant.answer.pointer(pointer) {
                members.insert((*name).to_owned(), value.clone());
            }
        }
        if let Some(posted) = posted.filter(|_| quirks.posts_user) {
            // What the provider has said itself stays.
            members.entry("user").or_insert(posted);
        }
    }

    /// The user whom a profile describes; their id is that at the provider.
    pub(crate) fn user(&self, profile: &Profile) -> Result<User, BoxError> {
        let mut user = match &self.provider.read {
            Some(read) => read(profile)?,
            None => self.provider.map.read(profile)?,
        };
        // ASCII alone: other letters have lower cases that are letters of somebody else's address (the Kelvin sign's is
        // `k`), and so have compatible forms (NFKC). A link by mail goes to the address that this makes; here nothing
        // is sent, and the provider has proved the address as it wrote it.
        if let Some(email) = &mut user.email {
            email.make_ascii_lowercase();
        }
        if user.id.is_empty() { Err("the profile has no id of the user".into()) } else { Ok(user) }
    }

    async fn userinfo(&self, grant: &Grant, access_token: &str) -> Result<Map<String, Value>, OAuthError> {
        let url = filled(&self.required(Endpoint::Userinfo).await?, &grant.answer)?;
        let answer = match self.provider.quirks.introspects {
            true => self.introspected(&url, access_token).await?,
            false => self.resource(&url, access_token).await?,
        };
        match answer {
            Value::Object(members) => Ok(members),
            // Some answer with a list of one.
            Value::Array(list) => match <[Value; 1]>::try_from(list) {
                Ok([Value::Object(members)]) => Ok(members),
                _ => Err(OAuthError::invalid("the answer is no list of one object")),
            },
            _ => Err(OAuthError::invalid("the answer is no object")),
        }
    }

    /// Reads a resource of the provider's with the access token.
    async fn resource(&self, url: &str, access_token: &str) -> Result<Value, OAuthError> {
        let quirks = &self.provider.quirks;
        let mut url = Url::parse(url).map_err(|_| OAuthError::invalid("its URL is none"))?;
        let mut request = Request::new(Bytes::new());
        if let Some(name) = quirks.token_in_query {
            url.query_pairs_mut().append_pair(name, access_token);
        } else {
            let mut header = HeaderValue::try_from(format!("Bearer {access_token}"))
                .map_err(|_| OAuthError::invalid("the access token fits no header"))?;
            header.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        if quirks.userinfo_by_post {
            *request.method_mut() = HttpMethod::POST;
        }
        *request.uri_mut() = url.as_str().parse().map_err(|_| OAuthError::invalid("its URL is none"))?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in quirks.userinfo_headers {
            let name = HeaderName::from_static(name);
            let value = value.replace("{client_id}", &self.provider.client_id);
            let value = HeaderValue::try_from(value).map_err(|_| OAuthError::invalid("a header of its"))?;
            request.headers_mut().insert(name, value);
        }
        request.headers_mut().extend(self.provider.userinfo_headers.clone());
        let response = self.send(request).await?;
        answered(response.status())?;
        if !response.status().is_success() {
            return Err(OAuthError::refused(format!("the server answered {}", response.status())));
        }
        self.json(&response)
    }
}

/// A profile in a token response: as it is, or as the claims of a token. Its signature is not asked for: it comes from
/// the token endpoint itself, over TLS (OpenID Connect Core section 3.1.3.7, number 6).
fn carried(place: &Value) -> Option<Value> {
    let profile = match place {
        Value::String(token) => {
            let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
            serde_json::from_slice(&claims).ok()?
        }
        profile => profile.clone(),
    };
    profile.is_object().then_some(profile)
}

/// A URL in which `{pointer}` stands for what the token response has there.
fn filled(url: &str, answer: &Value) -> Result<String, OAuthError> {
    let mut pieces = url.split("{/");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (pointer, rest) = piece.split_once('}').ok_or_else(|| OAuthError::invalid("its URL is none"))?;
        let text = match answer.pointer(&format!("/{pointer}")) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
            _ => return Err(OAuthError::invalid(format!("the token response has no {pointer:?}"))),
        };
        filled.extend(utf8_percent_encode(&text, UNRESERVED));
        filled.push_str(rest);
    }
    Ok(filled)
}

/// What stays as it is in a URL (RFC 3986 section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Both together. They have to be about the same user (OpenID Connect Core section 5.3.2), and what was signed stays.
fn joined(claims: Option<Map<String, Value>>, userinfo: Map<String, Value>) -> Result<Value, OAuthError> {
    let Some(mut claims) = claims else { return Ok(Value::Object(userinfo)) };
    if userinfo.get("sub") != claims.get("sub") {
        return Err(OAuthError::invalid("the userinfo endpoint is about somebody else than the ID token"));
    }
    let mut members = userinfo;
    if claims.contains_key("email") && claims.get("email") != members.get("email") {
        members.shift_remove("email_verified"); // It was said of another address.
    }
    // Of which address it is said there nobody knows, so it proves none, and where the two differ, neither does.
    if !claims.contains_key("email")
        && let Some(verified) = claims.shift_remove("email_verified")
        && members.get("email_verified") != Some(&verified)
    {
        members.shift_remove("email_verified");
    }
    members.extend(claims);
    Ok(Value::Object(members))
}
