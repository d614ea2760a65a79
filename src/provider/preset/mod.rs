//! The providers of Auth.js as data, under the same ids (`docs/protocol.md` section 7).
//!
//! ```
//! use portcullis::{OAuth, preset::{GitHub, Keycloak}};
//!
//! # fn main() -> Result<(), portcullis::ConfigError> {
//! let github = GitHub::new("my-client-id", "my-client-secret").scope("read:user user:email");
//! // Everybody runs their own of this one.
//! let keycloak = Keycloak::new("my-client-id", "my-client-secret").issuer("https://id.example/realms/main");
//! # let variables = |name: &str| name.starts_with("AUTH_GITHUB_").then(|| "value".to_owned());
//! // From AUTH_GITHUB_ID and AUTH_GITHUB_SECRET; in an application: GitHub::from_env()?
//! let github = GitHub::from_variables(variables)?;
//! # let _ = keycloak;
//! # Ok(())
//! # }
//! ```
//!
//! A preset is one file here and one line in the list below. What it says comes from the provider's own
//! documentation, which its file names.

use std::env;

use serde_json::Value;

use super::oauth::{
    ButtonStyle, ClientAuthentication, Endpoints, OAuth, ProfileMap, Proof, Protocol, Quirks,
};
use crate::{codec::JwsAlgorithm, error::ConfigError};

/// What is known of a provider before an application registers at it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Preset {
    /// The id of Auth.js: part of the redirect URI, and of the key of every account.
    pub id: &'static str,
    /// The name on the button.
    pub name: &'static str,
    /// OAuth 2 or OpenID Connect.
    pub protocol: Protocol,
    /// Where its issuer is.
    pub issuer: Issuer,
    /// The authorization endpoint; empty if discovery says it. Here and below `{issuer}` stands for the issuer.
    pub authorization: &'static str,
    /// The token endpoint; empty if discovery says it.
    pub token: &'static str,
    /// The userinfo endpoint; empty if there is none, or discovery says it. A JSON pointer in braces, such as
    /// `{/openid}`, stands for what the token response has there.
    pub userinfo: &'static str,
    /// The keys of ID tokens; empty if discovery says it.
    pub jwks: &'static str,
    /// Where a browser signs out at the provider; empty if it cannot, or discovery says it.
    pub end_session: &'static str,
    /// What is asked for.
    pub scope: &'static str,
    /// Further parameters of the authorization request.
    pub params: &'static [(&'static str, &'static str)],
    /// A client secret that is given as a text is sent in the body, and not with HTTP Basic authentication.
    pub secret_in_body: bool,
    /// It can do PKCE, or passes it over.
    pub pkce: bool,
    /// It gives `nonce` back in its ID token.
    pub nonce: bool,
    /// It answers by a post: `response_mode=form_post`.
    pub form_post: bool,
    /// The userinfo endpoint is read beside the ID token.
    pub reads_userinfo: bool,
    /// Its ID tokens are signed with the client secret (HS256).
    pub id_token_by_secret: bool,
    /// In what it departs from the specifications.
    pub quirks: Quirks,
    /// Which member of its profile is what.
    pub profile: ProfileMap,
    /// The look of its button.
    pub button: ButtonStyle,
}

/// Where the issuer of a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Issuer {
    /// There is none, or it does not matter: plain OAuth 2.
    None,
    /// Here.
    Fixed(&'static str),
    /// Wherever the application's own is: `AUTH_<ID>_ISSUER`, or [`OAuth::issuer`]. It ends with this text, which is
    /// added if it does not.
    Given {
        /// Such as `/`, for those that write themselves so, or a path that is the same everywhere.
        ending: &'static str,
    },
    /// Here, unless the application has its own.
    Default(&'static str),
}

impl Preset {
    /// OAuth 2 as most do it; the rest has to be said.
    pub const OAUTH2: Self = Self {
        id: "",
        name: "",
        protocol: Protocol::OAuth2,
        issuer: Issuer::None,
        authorization: "",
        token: "",
        userinfo: "",
        jwks: "",
        end_session: "",
        scope: "",
        params: &[],
        secret_in_body: true,
        pkce: true,
        nonce: false,
        form_post: false,
        reads_userinfo: true,
        id_token_by_secret: false,
        quirks: Quirks::NONE,
        profile: ProfileMap::PLAIN,
        button: ButtonStyle::PLAIN,
    };

    /// OpenID Connect with discovery; id, name and issuer have to be said.
    pub const OIDC: Self = Self {
        protocol: Protocol::Oidc,
        issuer: Issuer::Given { ending: "" },
        scope: "openid profile email",
        secret_in_body: false,
        nonce: true,
        reads_userinfo: false,
        profile: ProfileMap::OIDC,
        ..Self::OAUTH2
    };

    /// The provider, for this client. A text is its secret, sent as the provider documents it.
    pub fn provider(
        &self,
        client_id: impl Into<String>,
        authentication: impl Into<ClientAuthentication>,
    ) -> OAuth {
        let authentication = authentication.into();
        let authentication = match self.secret_in_body {
            true => authentication.or_in_body(),
            false => authentication,
        };
        let mut provider = OAuth::of(self.protocol, self.id.into(), client_id.into(), authentication);
        let some = |url: &'static str| (!url.is_empty()).then(|| url.into());
        provider.name = self.name.into();
        provider.endpoints = Endpoints {
            authorization: some(self.authorization),
            token: some(self.token),
            userinfo: some(self.userinfo),
            jwks: some(self.jwks),
            end_session: some(self.end_session),
        };
        provider.issuer = match self.issuer {
            Issuer::Fixed(issuer) | Issuer::Default(issuer) => Some(issuer.to_owned()),
            Issuer::None | Issuer::Given { .. } => None,
        };
        if let Issuer::Given { ending } = self.issuer {
            provider.issuer_ending = ending;
        }
        provider.scope = self.scope.into();
        provider.authorization_params =
            self.params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        provider.pkce = self.pkce;
        provider.nonce = self.nonce;
        provider.form_post = self.form_post;
        provider.reads_userinfo = self.reads_userinfo;
        if self.id_token_by_secret {
            provider.algorithms.insert(0, JwsAlgorithm::HS256);
        }
        provider.quirks = self.quirks;
        provider.map = self.profile;
        provider.button = self.button;
        provider
    }

    /// The provider, from the variables of Auth.js: `AUTH_<ID>_ID` and `AUTH_<ID>_SECRET`, and `AUTH_<ID>_ISSUER` where
    /// everybody has their own.
    ///
    /// # Errors
    ///
    /// Those that are not set.
    ///
    /// ```
    /// use portcullis::preset;
    ///
    /// // All that this site has been registered at; in an application the function is |name| std::env::var(name).ok()
    /// let variables = |name: &str| name.starts_with("AUTH_GOOGLE_").then(|| "value".to_owned());
    /// let providers = preset::ALL.iter().filter_map(|preset| preset.from_variables(variables).ok());
    /// assert_eq!(providers.count(), 1);
    /// ```
    pub fn from_variables(&self, variable: impl Fn(&str) -> Option<String>) -> Result<OAuth, ConfigError> {
        let prefix = format!("AUTH_{}", self.id.to_ascii_uppercase().replace('-', "_"));
        let mut problems = ConfigError::none();
        let mut read = |name: &str| {
            let name = format!("{prefix}_{name}");
            let value = variable(&name).filter(|value| !value.is_empty());
            if value.is_none() {
                let remedy = match name.ends_with("_ISSUER") {
                    true => "set it to the issuer that your server's /.well-known/openid-configuration names"
                        .to_owned(),
                    false => {
                        format!(
                            "register the application at {}, and set it to what is given there",
                            self.name
                        )
                    }
                };
                problems.add(format!("{name} is not set"), remedy);
            }
            value.unwrap_or_default()
        };
        let (client_id, secret) = (read("ID"), read("SECRET"));
        let issuer = match self.issuer {
            Issuer::Given { .. } => Some(read("ISSUER")),
            Issuer::Default(_) => variable(&format!("{prefix}_ISSUER")).filter(|value| !value.is_empty()),
            Issuer::None | Issuer::Fixed(_) => None,
        };
        problems.into_result()?;
        let provider = self.provider(client_id, secret);
        Ok(match issuer {
            Some(issuer) => provider.issuer(issuer),
            None => provider,
        })
    }
}

/// Takes the main one of a list of addresses for the profile's `email`, and whether it was proved for its
/// `email_verified`. `members` are the names, within an address, of what says: it is the main one, the address itself,
/// it was proved.
fn take_email(profile: &mut Value, list: &str, members: [&str; 3]) {
    let [main, address, proved] = members;
    let addresses = profile.pointer(list).and_then(Value::as_array);
    let found = addresses.and_then(|addresses| addresses.iter().find(|email| email[main] == true)).cloned();
    if let (Some(found), Value::Object(profile)) = (found, profile) {
        profile.insert("email".to_owned(), found[address].clone());
        profile.insert("email_verified".to_owned(), found[proved].clone());
    }
}

/// Declares the presets: a file and a type for each, and the list of all.
macro_rules! presets {
    ($($(#[$doc:meta])* $file:ident :: $name:ident,)*) => {
        $(mod $file;)*

        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl $name {
                /// What is known of it.
                pub const PRESET: Preset = $file::PRESET;

                /// The provider, for the client that the application is registered as.
                #[allow(clippy::new_ret_no_self, reason = "a preset is a way to make a provider")]
                pub fn new(
                    client_id: impl Into<String>,
                    authentication: impl Into<ClientAuthentication>,
                ) -> OAuth {
                    Self::PRESET.provider(client_id, authentication)
                }

                /// The provider, from the variables of Auth.js in the environment: `AUTH_<ID>_ID` and
                /// `AUTH_<ID>_SECRET`, and `AUTH_<ID>_ISSUER` where everybody has their own.
                ///
                /// # Errors
                ///
                /// Those that are not set.
                pub fn from_env() -> Result<OAuth, ConfigError> {
                    Self::from_variables(|name| env::var(name).ok())
                }

                /// Likewise, from wherever configuration comes from.
                ///
                /// # Errors
                ///
                /// Those that are not set.
                pub fn from_variables(
                    variable: impl Fn(&str) -> Option<String>,
                ) -> Result<OAuth, ConfigError> {
                    Self::PRESET.from_variables(variable)
                }
            }
        )*

        /// All presets, by id.
        pub const ALL: &[Preset] = &[$($file::PRESET,)*];
    };
}

presets! {
    /// 42 School.
    forty_two_school::FortyTwoSchool,
    /// Apple. Its client secret is made from a key: [`ClientAuthentication::apple`].
    apple::Apple,
    /// Asgardeo.
    asgardeo::Asgardeo,
    /// Atlassian.
    atlassian::Atlassian,
    /// Auth0.
    auth0::Auth0,
    /// authentik.
    authentik::Authentik,
    /// Microsoft Entra ID under its former name, for accounts that have it.
    azure_ad::AzureAd,
    /// Azure AD B2C.
    azure_ad_b2c::AzureAdB2c,
    /// BankID of Norway.
    bankid_no::BankIdNo,
    /// Battle.net.
    battlenet::BattleNet,
    /// Beyond Identity.
    beyondidentity::BeyondIdentity,
    /// Bitbucket.
    bitbucket::Bitbucket,
    /// Box. Its id is `box`.
    box_com::BoxCom,
    /// BoxyHQ (Ory Polis), which stands in front of SAML.
    boxyhq_saml::BoxyHqSaml,
    /// Bungie. It wants an API key beside the secret: [`OAuth::userinfo_header`].
    bungie::Bungie,
    /// ClickUp.
    click_up::ClickUp,
    /// Amazon Cognito.
    cognito::Cognito,
    /// Coinbase.
    coinbase::Coinbase,
    /// Concept2 Logbook.
    concept2::Concept2,
    /// Descope.
    descope::Descope,
    /// Discord.
    discord::Discord,
    /// Dribbble.
    dribbble::Dribbble,
    /// Dropbox.
    dropbox::Dropbox,
    /// Duende IdentityServer.
    duende_identity_server6::DuendeIdentityServer6,
    /// Eventbrite.
    eventbrite::Eventbrite,
    /// EVE Online.
    eveonline::EveOnline,
    /// Facebook.
    facebook::Facebook,
    /// FACEIT.
    faceit::Faceit,
    /// Figma.
    figma::Figma,
    /// Foursquare.
    foursquare::Foursquare,
    /// FreshBooks.
    freshbooks::FreshBooks,
    /// Frontegg.
    frontegg::Frontegg,
    /// FusionAuth.
    fusionauth::FusionAuth,
    /// GitHub.
    github::GitHub,
    /// GitLab, the public one unless its issuer is another.
    gitlab::GitLab,
    /// Google.
    google::Google,
    /// HubSpot.
    hubspot::HubSpot,
    /// Hugging Face.
    huggingface::HuggingFace,
    /// Ory Hydra and Ory Network.
    hydra::Hydra,
    /// IdentityServer4.
    identity_server4::IdentityServer4,
    /// Instagram, for professional accounts.
    instagram::Instagram,
    /// Kakao.
    kakao::Kakao,
    /// Keycloak.
    keycloak::Keycloak,
    /// Kinde.
    kinde::Kinde,
    /// LINE.
    line::Line,
    /// LinkedIn.
    linkedin::LinkedIn,
    /// Logto.
    logto::Logto,
    /// Mailchimp.
    mailchimp::Mailchimp,
    /// Mail.ru.
    mailru::MailRu,
    /// Mastodon, on a server of the application's choice.
    mastodon::Mastodon,
    /// Mattermost, on a server of the application's choice.
    mattermost::Mattermost,
    /// Medium.
    medium::Medium,
    /// Microsoft Entra ID, for all tenants unless its issuer names one.
    microsoft_entra_id::MicrosoftEntraId,
    /// Naver.
    naver::Naver,
    /// Netlify.
    netlify::Netlify,
    /// Nextcloud, on a server of the application's choice.
    nextcloud::Nextcloud,
    /// Notion.
    notion::Notion,
    /// Okta.
    okta::Okta,
    /// OneLogin.
    onelogin::OneLogin,
    /// Osso.
    osso::Osso,
    /// osu!.
    osu::Osu,
    /// Passage by 1Password.
    passage::Passage,
    /// Patreon.
    patreon::Patreon,
    /// Ping Identity.
    ping_id::PingId,
    /// Pinterest.
    pinterest::Pinterest,
    /// Pipedrive.
    pipedrive::Pipedrive,
    /// Reddit.
    reddit::Reddit,
    /// Roblox.
    roblox::Roblox,
    /// Salesforce.
    salesforce::Salesforce,
    /// SimpleLogin.
    simplelogin::SimpleLogin,
    /// Slack.
    slack::Slack,
    /// Spotify.
    spotify::Spotify,
    /// Strava.
    strava::Strava,
    /// Threads.
    threads::Threads,
    /// TikTok.
    tiktok::TikTok,
    /// Todoist.
    todoist::Todoist,
    /// Trakt.
    trakt::Trakt,
    /// Twitch.
    twitch::Twitch,
    /// X, formerly Twitter. Its id is `twitter`.
    twitter::Twitter,
    /// United Effects.
    united_effects::UnitedEffects,
    /// Vipps MobilePay.
    vipps::Vipps,
    /// VK.
    vk::Vk,
    /// Webex.
    webex::Webex,
    /// WeChat, for websites.
    wechat::WeChat,
    /// Wikimedia, which is Wikipedia and its sisters.
    wikimedia::Wikimedia,
    /// WordPress.com.
    wordpress::WordPress,
    /// WorkOS single sign-on.
    workos::WorkOs,
    /// Yandex.
    yandex::Yandex,
    /// ZITADEL.
    zitadel::Zitadel,
    /// Zoho, in the United States unless its issuer is another.
    zoho::Zoho,
    /// Zoom.
    zoom::Zoom,
}
