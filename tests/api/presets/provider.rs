//! A provider that answers as a sample says, and judges how it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, Request, Response, header};
use portcullis::{
    Protocol, Secret,
    codec::{Codec, Jws, JwsAlgorithm, JwsKeys},
    http_client::{HttpClient, HttpError},
    preset::{Issuer, Preset},
};
use serde_json::{Value, json};
use url::Url;

use crate::support::{NOW, SECRET};

const ACCESS_TOKEN: &str = "the access/token";
const OWN: &str = "https://id.example";

/// Where the provider of a preset is.
pub fn issuer(preset: &Preset) -> String {
    match preset.issuer {
        Issuer::Fixed(issuer) | Issuer::Default(issuer) => issuer.to_owned(),
        Issuer::Given { ending } => format!("{OWN}/main{ending}"),
        _ => String::new(),
    }
}

#[derive(Clone)]
pub struct FakeProvider {
    preset: &'static Preset,
    sample: Arc<Value>,
    /// Of the authorization request.
    nonce: Arc<Mutex<Option<String>>>,
    problems: Arc<Mutex<Vec<String>>>,
}

impl FakeProvider {
    pub fn new(preset: &'static Preset, sample: Value) -> Self {
        Self { preset, sample: Arc::new(sample), nonce: Arc::default(), problems: Arc::default() }
    }

    pub fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap().clone()
    }

    /// Judges an authorization request.
    pub fn asked(&self, url: &Url) -> Result<BTreeMap<String, String>, String> {
        let preset = self.preset;
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let wanted = [
            (url.as_str().starts_with(&self.endpoint(preset.authorization, "/authorize")), "its endpoint"),
            (query.get(preset.quirks.client_id).is_some_and(|id| id == "my-client-id"), "the client"),
            (query.contains_key("code_challenge") == preset.pkce, "PKCE"),
            (query.contains_key("nonce") == preset.nonce, "the nonce"),
            (query.contains_key("scope") != preset.scope.is_empty(), "the scope"),
            (
                preset.params.iter().all(|(name, value)| query.get(*name).is_some_and(|v| v == value)),
                "params",
            ),
        ];
        *self.nonce.lock().unwrap() = query.get("nonce").cloned();
        match wanted.iter().find(|(kept, _)| !kept) {
            Some((_, what)) => Err(format!("the authorization request is wrong in {what}: {url}")),
            None => Ok(query),
        }
    }

    pub fn client(&self) -> impl HttpClient + use<> {
        let this = self.clone();
        move |request: Request<Bytes>| {
            let answer = this.answer(&request).unwrap_or_else(|problem| {
                this.problems.lock().unwrap().push(format!(
                    "{problem}: {} {}",
                    request.method(),
                    request.uri()
                ));
                Value::Null
            });
            // Those that write other types write this one.
            let kind = if this.preset.quirks.any_content_type { "text/plain" } else { "application/json" };
            let kind = if request.uri().path().contains("well-known") { "application/json" } else { kind };
            let response = Response::builder().header(header::CONTENT_TYPE, kind);
            std::future::ready(response.body(Bytes::from(answer.to_string())).map_err(HttpError::unavailable))
        }
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Value, String> {
        let (preset, sample) = (self.preset, &self.sample);
        if !request.headers().contains_key(header::USER_AGENT) {
            return Err("nobody says who asks".to_owned());
        }
        let url = request.uri().to_string();
        if url
            == format!(
                "{}/.well-known/openid-configuration",
                issuer(preset).trim_end_matches('/').to_owned() + preset.quirks.discovery
            )
        {
            return Ok(self.discovery());
        }
        if url == format!("{OWN}/keys") {
            return Ok(serde_json::from_str(include_str!("../../keys/jwks.json")).unwrap());
        }
        if url == self.endpoint(preset.token, "/token") && request.method() == Method::POST {
            return self.token(request);
        }
        if preset.quirks.introspects && url == preset.userinfo {
            let form = self.form_of_client(request)?;
            let known = form.get("token").is_some_and(|token| token == ACCESS_TOKEN);
            return Ok(if known { sample["profile"].clone() } else { json!({ "active": false }) });
        }
        self.judge_access(request)?;
        if let Some((name, _)) = preset.quirks.more.iter().find(|(_, more)| *more == url) {
            return Ok(sample["more"][name].clone());
        }
        let method = if preset.quirks.userinfo_by_post { Method::POST } else { Method::GET };
        if !url.starts_with(&self.endpoint(preset.userinfo, "/userinfo")) || request.method() != method {
            return Err("an unknown place".to_owned());
        }
        Ok(sample["profile"].clone())
    }

    /// Where an endpoint is: as the preset says, else as discovery does.
    fn endpoint(&self, template: &str, discovered: &str) -> String {
        let issuer = issuer(self.preset);
        let url = match template {
            "" => format!("{OWN}{discovered}"),
            template => template.replace("{issuer}", issuer.trim_end_matches('/')),
        };
        let openid = self.sample["token"]["openid"].as_str().unwrap_or_default();
        let url = url.replace("{/openid}", openid);
        url.trim_end_matches("#wechat_redirect").to_owned()
    }

    fn discovery(&self) -> Value {
        let issuer = issuer(self.preset);
        let tenants = self.preset.quirks.tenant_issuer;
        json!({
            "issuer": if tenants { issuer.replace("common", "{tenantid}") } else { issuer },
            "authorization_endpoint": format!("{OWN}/authorize"),
            "token_endpoint": format!("{OWN}/token"),
            "userinfo_endpoint": format!("{OWN}/userinfo"),
            "jwks_uri": format!("{OWN}/keys"),
        })
    }

    /// Redeems a code for whoever proves to be the client.
    fn token(&self, request: &Request<Bytes>) -> Result<Value, String> {
        let (preset, quirks) = (self.preset, &self.preset.quirks);
        let form = self.form_of_client(request)?;
        if form.get("code").is_none_or(|code| code != "the-code")
            || form.contains_key("code_verifier") != preset.pkce
        {
            return Err(format!("a wrong token request ({:?})", form.keys()));
        }
        let mut answer = json!({ "access_token": ACCESS_TOKEN, "token_type": "bearer", "expires_in": 3600 });
        let members = answer.as_object_mut().unwrap();
        members.extend(self.sample["token"].as_object().cloned().unwrap_or_default());
        if preset.protocol == Protocol::Oidc {
            members.insert("id_token".to_owned(), self.id_token().into());
        }
        match quirks.profile_in_tokens {
            None => {}
            Some("/access_token") => {
                members["access_token"] = self.signed(self.sample["profile"].clone()).into()
            }
            Some(pointer) => {
                let profile = self.sample["profile"].clone();
                let names = pointer.split('/').skip(1).collect::<Vec<_>>().into_iter().rev();
                let nested = names.fold(profile, |inner, name| json!({ name: inner }));
                members.extend(nested.as_object().unwrap().clone());
            }
        }
        Ok(answer)
    }

    /// A form with the proof that it is the client's, in the place where the provider looks for it.
    fn form_of_client(&self, request: &Request<Bytes>) -> Result<BTreeMap<String, String>, String> {
        let (preset, quirks) = (self.preset, &self.preset.quirks);
        let form: BTreeMap<String, String> = form_urlencoded::parse(request.body()).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str);
        let header = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
        let basic = format!("Basic {}", STANDARD.encode(format!("my-client-id:{SECRET}")));
        let proved = match preset.secret_in_body {
            true => {
                header.is_none()
                    && field(quirks.client_id) == Some("my-client-id")
                    && field(quirks.client_secret) == Some(SECRET)
            }
            false => header == Some(&basic) && field("client_secret").is_none(),
        };
        if proved { Ok(form) } else { Err(format!("not the client ({:?})", form.keys())) }
    }

    fn id_token(&self) -> String {
        let (preset, profile) = (self.preset, &self.sample["profile"]);
        let mut claims = match preset.reads_userinfo {
            true => json!({ "sub": profile["sub"] }),
            false => profile.clone(),
        };
        let tenant = profile["tid"].as_str().unwrap_or_default();
        claims["iss"] = match preset.quirks.tenant_issuer {
            true => issuer(preset).replace("common", tenant).into(),
            false => issuer(preset).into(),
        };
        claims["aud"] = "my-client-id".into();
        (claims["iat"], claims["exp"]) = (NOW.into(), (NOW + 600).into());
        if let Some(nonce) = &*self.nonce.lock().unwrap() {
            claims["nonce"] = nonce.clone().into();
        }
        self.signed(claims)
    }

    fn signed(&self, claims: Value) -> String {
        let jws = match self.preset.id_token_by_secret {
            true => Jws::new(JwsAlgorithm::HS256, JwsKeys::secret(&Secret::new_unchecked(SECRET))).unwrap(),
            false => {
                let key = include_bytes!("../../keys/test-rsa.private.pem");
                let keys = JwsKeys::private_pem(JwsAlgorithm::RS256, key).unwrap();
                Jws::new(JwsAlgorithm::RS256, keys).unwrap().with_key_id("rsa")
            }
        };
        jws.encode(claims.to_string().as_bytes()).unwrap()
    }

    /// The access token has to come, in the place where the provider looks for it, with what else it wants.
    fn judge_access(&self, request: &Request<Bytes>) -> Result<(), String> {
        let quirks = &self.preset.quirks;
        let url = Url::parse(&request.uri().to_string()).unwrap();
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let given = match quirks.token_in_query {
            Some(name) => {
                url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
            }
            None => {
                header("authorization").and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned))
            }
        };
        if given.as_deref() != Some(ACCESS_TOKEN) {
            return Err("no access token".to_owned());
        }
        let missing = quirks
            .userinfo_headers
            .iter()
            .find(|(name, value)| header(name) != Some(value.replace("{client_id}", "my-client-id")));
        missing.map_or(Ok(()), |(name, _)| Err(format!("no header {name}")))
    }
}
