//! The one place that judges the configuration as a whole.

use std::sync::Arc;

use super::AuthBuilder;
use crate::{
    account::TokenSeal,
    auth::{Auth, CsrfSecrets, Settings, Site, site::MailSite},
    codec,
    cookie::CookieNames,
    cross_site::CrossSite,
    dialect::Dialect,
    error::ConfigError,
    origin::OriginPolicy,
    pages::Style,
    session::{Profile, Strategy},
};

impl AuthBuilder {
    /// Judges the configuration.
    ///
    /// # Errors
    ///
    /// All problems of the builder at once, each with its remedy: a weak secret, cookies that browsers refuse,
    /// two providers of one id, paths that are none.
    pub fn build(mut self) -> Result<Auth, ConfigError> {
        let mut problems = ConfigError::none();
        for (problem, remedy) in self.secret.problems() {
            problems.add(problem, remedy);
        }
        let origin = self.origin.clone().map_or_else(OriginPolicy::from_env, Ok);
        let origin = origin.map_err(|error| problems.append(error)).ok();
        let schemes = self.schemes(origin.as_ref());
        let [http, https] = [false, true].map(|https| {
            let (profile, checked) = self.profile(https);
            // Cookies at a scheme that this site never has are nobody's problem.
            if schemes.contains(&https) {
                checked.unwrap_or_else(|error| problems.append(error));
            }
            profile
        });
        let names = [&http.names, &https.names];
        self.check_providers(&mut problems);
        #[cfg(feature = "oauth")]
        let oauth = self.oauth_site(names, &mut problems);
        self.check_stores(&mut problems);
        let base_path = self
            .base_path
            .clone()
            .unwrap_or_else(|| origin.as_ref().map_or("/api/auth", OriginPolicy::base_path).to_owned());
        let local_path = self.local_path(&base_path, &mut problems);
        let style = Style::new(&self.theme, &self.providers).map_err(|error| problems.append(error)).ok();
        problems.into_result()?;

        let (Some(origin), Some(style)) = (origin, style) else {
            return Err(ConfigError::one(
                "the configuration is incomplete",
                "report this: it should have been named",
            ));
        };
        let rules = self.dialect.rules();
        let (stores, place) = self.place();
        let sign_in_page = self.pages.sign_in.clone().unwrap_or_else(|| format!("{base_path}/signin"));
        let mail = MailSite::new(&self.providers, rules, &self.secret, names);
        let site = Site {
            #[cfg(feature = "oauth")]
            oauth,
            base_path,
            local_path,
            csrf: CsrfSecrets::new(&self.secret, rules),
            mail,
            cross_site: CrossSite::new(&origin, self.check_cross_site),
            providers: self.providers,
            pages: self.pages,
            style,
            body_limit: self.body_limit,
        };
        let token_seal = TokenSeal::new(&self.secret, self.seals_provider_tokens);
        let settings = Settings {
            rules,
            strategy: Strategy::new(http, https, self.lifetime, place)
                .recording_auth_time(self.record_auth_time),
            stores,
            linking: self.linking,
            token_seal,
            credentials_users: self.credentials_users,
            describe_client: self.describe_client,
            callbacks: self.callbacks,
            renew_on_read: self.renew_on_read,
            bearer_sessions: self.bearer_sessions,
            sign_in_page: Some(sign_in_page),
            site: Some(Arc::new(site)),
            origin: Some(origin),
            clock: self.clock,
        };
        let auth = Auth { settings: Arc::new(settings) };
        auth.startup_report().warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(auth)
    }

    /// The schemes that this site may be reached under.
    fn schemes(&self, origin: Option<&OriginPolicy>) -> Vec<bool> {
        let known: Vec<_> =
            origin.into_iter().flat_map(OriginPolicy::known).map(|origin| origin.is_https()).collect();
        if known.is_empty() { vec![true] } else { known }
    }

    fn profile(&self, https: bool) -> (Profile, Result<(), ConfigError>) {
        let names_of = |dialect: Dialect| CookieNames::new(dialect.rules(), &self.cookies, https);
        let codec_of =
            |dialect: Dialect, name: &str| codec::of_format(dialect.rules().token, &self.secret, name);
        let names = names_of(self.dialect);
        let checked = names.check();
        let codec = self.codec.clone().unwrap_or_else(|| codec_of(self.dialect, &names.session_token.name));
        let mut profile = Profile::new(names, self.dialect.rules(), codec);
        for dialect in self.accepted.iter().copied().filter(|dialect| *dialect != self.dialect) {
            let spec = names_of(dialect).session_token;
            let codec = codec_of(dialect, &spec.name);
            profile.accept(spec, dialect.rules(), codec);
        }
        (profile, checked)
    }

    fn check_providers(&self, problems: &mut ConfigError) {
        for (index, provider) in self.providers.iter().enumerate() {
            let id = provider.id();
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            {
                problems.add(
                    format!("the provider id {id:?} cannot be part of a URL"),
                    "use letters, digits, '-', '_' and '.' only",
                );
            }
            if self.providers[..index].iter().any(|earlier| earlier.id() == id) {
                problems.add(format!("two providers have the id {id:?}"), "give one of them another id");
            }
            provider.check(problems);
        }
    }

    fn local_path(&self, base_path: &str, problems: &mut ConfigError) -> String {
        for path in [base_path, &self.mount] {
            let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte));
            let canonical = !path.contains("//")
                && !path.ends_with('/')
                && !path.split('/').any(|part| part == "." || part == "..");
            if !path.is_empty() && (!path.starts_with('/') || !plain || !canonical) {
                problems.add(
                    format!("{path:?} is no path as a router sees it"),
                    "begin it with '/', end it without one, and use letters, digits, '-', '.', '_' and '~'",
                );
            }
        }
        if base_path.is_empty() {
            problems
                .add("the base path is empty, so every request would be an endpoint", "use \"/api/auth\"");
        }
        base_path.strip_prefix(self.mount.as_str()).map(str::to_owned).unwrap_or_else(|| {
            problems.add(
                format!("the base path {base_path:?} does not begin with the mount {:?}", self.mount),
                "the base path is what the outside sees, the mount included",
            );
            String::new()
        })
    }
}
