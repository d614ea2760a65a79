//! Where this site is: its public origin, and which requests may say so.
//!
//! Every absolute URL is built from the [`Origin`] that the [`OriginPolicy`] finds, never from the `Host`
//! header alone (`docs/protocol.md` sections 1.1 and 1.2).

use std::{
    borrow::Cow,
    env, fmt,
    net::{IpAddr, SocketAddr},
};

use http::{HeaderMap, HeaderName, Uri, header::HOST, uri::Authority};
use url::Url;

use crate::{error::ConfigError, head::Head};

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where Auth.js keeps its endpoints.
const DEFAULT_BASE_PATH: &str = "/api/auth";

/// Scheme, host and port, as browsers write them: `https://app.example`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    text: String,
    https: bool,
}

impl Origin {
    fn of(url: &Url) -> Self {
        Self { text: url.origin().ascii_serialization(), https: url.scheme() == "https" }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// Host and port, for people to read.
    pub(crate) fn host(&self) -> &str {
        self.text.split_once("://").map_or(&self.text, |(_, host)| host)
    }

    /// The default `redirect` callback (`docs/protocol.md` section 5.3): a path is put behind this origin, a URL
    /// of this origin is kept as it was written, any other URL becomes the origin. `None` for text that is
    /// no URL.
    pub(crate) fn allow(&self, url: &str) -> Option<String> {
        if url.starts_with('/') {
            return Some(format!("{}{url}", self.text));
        }
        let parsed = Url::parse(url).ok()?;
        let same = parsed.origin().is_tuple() && parsed.origin().ascii_serialization() == self.text;
        Some(if same { url.to_owned() } else { self.text.clone() })
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The address of the peer that sent a request, for [`OriginPolicy::forwarded`] and for the limit of mails that one
/// source may ask for ([`Email::limit_source`](crate::Email::limit_source)). The server puts it into the
/// request's extensions; `http::Request` itself does not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddr(pub IpAddr);

/// Who says what the public origin of this site is.
///
/// ```
/// use portcullis::OriginPolicy;
///
/// // One site, one name: the rule.
/// let fixed = OriginPolicy::fixed("https://app.example")?;
/// // Several names, told apart by the Host header; any other is refused.
/// let several = OriginPolicy::allow_list(["https://app.example", "https://app.example.org"])?;
/// # let _ = (fixed, several);
/// # Ok::<_, portcullis::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    rule: Rule,
    /// The path of the URL that was configured, if it had one.
    base_path: Option<String>,
    /// Who says, beside those of the rule, for whom a request is made.
    proxies: Vec<IpAddr>,
}

#[derive(Debug, Clone)]
enum Rule {
    Fixed(Origin),
    AllowList(Vec<Origin>),
    /// From these peers; from any, if there is no list.
    Forwarded(Option<Vec<IpAddr>>),
}

impl OriginPolicy {
    fn of(rule: Rule) -> Self {
        Self { rule, base_path: None, proxies: Vec::new() }
    }

    /// Always this URL, whatever a request says. Its path, if it has one, is the base path of the endpoints.
    ///
    /// Without a scheme https is meant, as next-auth has it.
    ///
    /// # Errors
    ///
    /// When the text is no http or https URL.
    pub fn fixed(url: &str) -> Result<Self, ConfigError> {
        let url = parse(url)?;
        let base_path =
            Some(url.path().trim_end_matches('/')).filter(|path| !path.is_empty()).map(str::to_owned);
        Ok(Self { base_path, ..Self::of(Rule::Fixed(Origin::of(&url))) })
    }

    /// The one of these whose host is that of the `Host` header, or of `:authority` in HTTP/2. A request for another host is answered 400.
    ///
    /// # Errors
    ///
    /// When one of the texts is no http or https URL, or there is none.
    pub fn allow_list<'u>(urls: impl IntoIterator<Item = &'u str>) -> Result<Self, ConfigError> {
        let origins = urls.into_iter().map(|url| parse(url).map(|url| Origin::of(&url)));
        let origins = origins.collect::<Result<Vec<_>, _>>()?;
        if origins.is_empty() {
            return Err(ConfigError::one(
                "the list of origins is empty",
                "list the URLs under which the site is reached",
            ));
        }
        Ok(Self::of(Rule::AllowList(origins)))
    }

    /// What `X-Forwarded-Host` and `X-Forwarded-Proto` say, when they come from one of these proxies.
    ///
    /// The server has to put the peer's address into the request's extensions as [`PeerAddr`]; a request
    /// without one, or from another peer, is answered 400.
    pub fn forwarded(proxies: impl IntoIterator<Item = IpAddr>) -> Self {
        let proxies = proxies.into_iter().map(|proxy| proxy.to_canonical()).collect();
        Self::of(Rule::Forwarded(Some(proxies)))
    }

    /// What `X-Forwarded-Host` (else `Host`) and `X-Forwarded-Proto` say, whoever sent them: `AUTH_TRUST_HOST`
    /// of Auth.js. Only right where every way to this service leads through a proxy that sets both.
    pub fn dangerous_trust_host() -> Self {
        Self::of(Rule::Forwarded(None))
    }

    /// What `X-Forwarded-For` says, when it comes from one of these proxies, is where a request comes from: by that
    /// mails are [limited](crate::Email::limit_source). It says nothing of the origin, which stays what it is. The
    /// proxies of [`forwarded`](Self::forwarded) need not be named again.
    ///
    /// The proxy has to add to the header, or to write it anew: one that passes it on as it came lets everybody name a
    /// source of their own. The server has to put the peer's address into the request's extensions as [`PeerAddr`].
    /// Without this, all who come through a proxy are one source: the proxy.
    ///
    /// ```
    /// use portcullis::OriginPolicy;
    ///
    /// // nginx on this machine, with `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`.
    /// let policy = OriginPolicy::fixed("https://app.example")?.behind([[127, 0, 0, 1].into()]);
    /// # let _ = policy;
    /// # Ok::<_, portcullis::ConfigError>(())
    /// ```
    pub fn behind(mut self, proxies: impl IntoIterator<Item = IpAddr>) -> Self {
        self.proxies.extend(proxies.into_iter().map(|proxy| proxy.to_canonical()));
        self
    }

    /// Reads the environment: `AUTH_URL`, else `NEXTAUTH_URL`; else any host if `AUTH_TRUST_HOST` (or `VERCEL`)
    /// is set to anything but `0` and `false` ([`dangerous_trust_host`](Self::dangerous_trust_host)); else
    /// `http://localhost:3000`.
    ///
    /// # Errors
    ///
    /// When the URL is no http or https URL.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var(name).ok())
    }

    /// [`from_env`](Self::from_env) over any source of variables (`docs/protocol.md` section 1.2).
    ///
    /// # Errors
    ///
    /// When the URL is no http or https URL.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let url = ["AUTH_URL", "NEXTAUTH_URL"].into_iter().filter_map(&variable).find(|url| !url.is_empty());
        let trust = variable("VERCEL").or_else(|| variable("AUTH_TRUST_HOST"));
        let trust = trust.is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
        match url {
            Some(url) => Self::fixed(&url),
            None if trust => Ok(Self::dangerous_trust_host()),
            None => {
                tracing::warn!(
                    "AUTH_URL is not set: using http://localhost:3000; set it to the address in the browser's address bar"
                );
                Self::fixed("http://localhost:3000")
            }
        }
    }

    pub(crate) fn base_path(&self) -> &str {
        self.base_path.as_deref().unwrap_or(DEFAULT_BASE_PATH)
    }

    /// The origins that are known beforehand.
    pub(crate) fn known(&self) -> &[Origin] {
        match &self.rule {
            Rule::Fixed(origin) => std::slice::from_ref(origin),
            Rule::AllowList(origins) => origins,
            Rule::Forwarded(_) => &[],
        }
    }

    /// Who has sent a request: its peer, or whom a listed proxy names. `None` without a [`PeerAddr`].
    pub(crate) fn source(&self, request: Head<'_>) -> Option<IpAddr> {
        let PeerAddr(peer) = request.extensions.get()?;
        let peer = peer.to_canonical();
        let told = match &self.rule {
            Rule::Forwarded(Some(proxies)) => proxies.as_slice(),
            _ => &[],
        };
        let is_proxy = |address: &IpAddr| told.contains(address) || self.proxies.contains(address);
        if !is_proxy(&peer) {
            return Some(peer);
        }
        // Each proxy appends whom it was asked by; what stands before the first who is none of ours is hearsay.
        let lines: Vec<_> = request.headers.get_all(FORWARDED_FOR).iter().collect();
        let entries = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for entry in entries {
            match address(entry.trim()) {
                Some(address) if is_proxy(&address) => {}
                Some(address) => return Some(address),
                None => break,
            }
        }
        Some(peer)
    }

    /// The origin for a request, or `None` if nobody who may has said it.
    pub(crate) fn resolve(&self, request: Head<'_>) -> Option<Cow<'_, Origin>> {
        match &self.rule {
            Rule::Fixed(origin) => Some(Cow::Borrowed(origin)),
            Rule::AllowList(origins) => {
                let host = host(request)?;
                origins.iter().find(|origin| origin.host().eq_ignore_ascii_case(host)).map(Cow::Borrowed)
            }
            Rule::Forwarded(Some(proxies))
                if !request
                    .extensions
                    .get()
                    .is_some_and(|PeerAddr(peer)| proxies.contains(&peer.to_canonical())) =>
            {
                None
            }
            Rule::Forwarded(_) => {
                let headers = request.headers;
                let forwarded = headers.contains_key(FORWARDED_HOST);
                let host = if forwarded { single(headers, &FORWARDED_HOST)? } else { host(request)? };
                // Anything but exactly "http" is https, as in next-auth.
                let plain =
                    headers.contains_key(FORWARDED_PROTO) && single(headers, &FORWARDED_PROTO)? == "http";
                let url = parse(&format!("{}://{host}", if plain { "http" } else { "https" })).ok()?;
                // Nothing but a host: no user name, no path.
                (url.username().is_empty() && url.path() == "/").then(|| Cow::Owned(Origin::of(&url)))
            }
        }
    }
}

/// The host that a request was sent to: the authority of its target (`:authority` of HTTP/2) or its `Host`, and
/// none if the two differ (RFC 9113 section 8.3.1).
fn host(request: Head<'_>) -> Option<&str> {
    let authority = request.uri.and_then(Uri::authority).map(Authority::as_str);
    if authority.is_some() && !request.headers.contains_key(HOST) {
        return authority;
    }
    single(request.headers, &HOST)
        .filter(|host| authority.is_none_or(|authority| authority.eq_ignore_ascii_case(host)))
}

/// The value of a header that may stand there once and hold one value only (no list).
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    (values.next().is_none() && !value.is_empty() && !value.contains([',', ' '])).then_some(value)
}

fn parse(text: &str) -> Result<Url, ConfigError> {
    let with_scheme = if text.starts_with("http") { text.to_owned() } else { format!("https://{text}") };
    Url::parse(&with_scheme)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            ConfigError::one(
                format!("{text:?} is no http or https URL"),
                "write the public address of the site, such as https://app.example",
            )
        })
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let address = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Vectors, headers};

    fn request(sent: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::new(());
        *request.headers_mut() = headers(sent);
        request
    }

    fn fixed(url: &str) -> Origin {
        OriginPolicy::fixed(url).unwrap().known()[0].clone()
    }

    /// S41 and the vectors `redirect_callback`; where the packages throw there is no URL.
    #[test]
    fn s41_redirect_callback_vectors() {
        for vector in Vectors::load("redirect_callback").iter() {
            let origin = fixed(vector.str("base_url"));
            let expected = vector.get("v4").get("result").and_then(|result| result.as_str());
            assert_eq!(origin.allow(vector.str("url")).as_deref(), expected, "{}", vector.id());
        }
    }

    #[test]
    fn parse_url_vectors() {
        for vector in Vectors::load("parse_url").iter().filter(|vector| vector.has("input")) {
            let variable =
                |name: &str| (name == "NEXTAUTH_URL").then(|| vector.opt_str("input").map(str::to_owned))?;
            let policy = OriginPolicy::from_variables(variable).unwrap();
            let (origin, v4) = (policy.known()[0].clone(), vector.get("v4"));
            assert_eq!(origin.as_str(), v4["origin"], "{}", vector.id());
            assert_eq!(origin.host(), v4["host"], "{}", vector.id());
            assert_eq!(policy.base_path(), v4["path"], "{}", vector.id());
        }
    }

    #[test]
    fn detect_origin_vectors() {
        for vector in Vectors::load("parse_url").iter().filter(|vector| vector.has("env")) {
            let policy =
                OriginPolicy::from_variables(|name| Some(vector.get("env").get(name)?.as_str()?.to_owned()))
                    .unwrap();
            let pairs = [("x-forwarded-host", "forwarded_host"), ("x-forwarded-proto", "forwarded_proto")];
            let sent: Vec<_> =
                pairs.iter().filter_map(|(header, key)| Some((*header, vector.opt_str(key)?))).collect();
            let origin = policy.resolve((&request(&sent)).into());
            let expected = match vector.opt_str("origin") {
                // Nothing found: the package takes its default.
                None => Some("http://localhost:3000"),
                // The package makes a URL of the host that is not there.
                Some("https://undefined") => None,
                found => found,
            };
            assert_eq!(origin.as_ref().map(|origin| origin.as_str()), expected, "{}", vector.id());
        }
    }

    /// S42: nobody but who may says what the origin is.
    #[test]
    fn s42_hosts_are_not_believed() {
        let text = |policy: &OriginPolicy, request: &Request<()>| {
            policy.resolve(request.into()).map(|origin| origin.as_str().to_owned())
        };
        let evil = request(&[("host", "evil.example"), ("x-forwarded-host", "evil.example")]);
        let fixed = OriginPolicy::fixed("https://a.example").unwrap();
        assert_eq!(text(&fixed, &evil).unwrap(), "https://a.example");
        let list = OriginPolicy::allow_list(["https://a.example", "https://b.example"]).unwrap();
        assert_eq!(text(&list, &evil), None);
        assert_eq!(text(&list, &request(&[("host", "B.example")])).unwrap(), "https://b.example");

        let proxy = PeerAddr([10, 0, 0, 1].into());
        let forwarded = OriginPolicy::forwarded([proxy.0]);
        let from = |peer: PeerAddr, sent: &[(&str, &str)]| {
            let mut request = request(sent);
            request.extensions_mut().insert(peer);
            request
        };
        let sent = [("x-forwarded-host", "a.example"), ("x-forwarded-proto", "https")];
        assert_eq!(text(&forwarded, &from(proxy, &sent)).unwrap(), "https://a.example");
        assert_eq!(text(&forwarded, &from(PeerAddr([10, 0, 0, 2].into()), &sent)), None);
        assert_eq!(text(&forwarded, &request(&sent)), None);
        for spoilt in [
            &[("x-forwarded-host", "a.example, evil.example")][..],
            &[("x-forwarded-host", "a.example"), ("x-forwarded-host", "evil.example")],
            &[("x-forwarded-host", "user@a.example")],
            &[("x-forwarded-host", "a.example/path")],
            &[("x-forwarded-host", "a.example"), ("x-forwarded-proto", "https,http")],
            &[("x-forwarded-host", "")],
        ] {
            assert_eq!(text(&forwarded, &from(proxy, spoilt)), None, "{spoilt:?}");
        }
    }

    /// S61: who is behind a proxy is told by listed ones alone.
    #[test]
    fn s61_sources_are_not_believed() {
        let proxies = [[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
        let policies = [
            OriginPolicy::forwarded(proxies),
            OriginPolicy::forwarded(proxies[..1].to_vec()).behind(proxies[1..].to_vec()),
            OriginPolicy::fixed("https://a.example").unwrap().behind(proxies),
            OriginPolicy::allow_list(["https://a.example"])
                .unwrap()
                .behind(proxies[..1].to_vec())
                .behind(proxies),
        ];
        let source = |policy: &OriginPolicy, peer: [u8; 4], sent: &[(&str, &str)]| {
            let mut request = request(sent);
            request.extensions_mut().insert(PeerAddr(peer.into()));
            policy.source((&request).into()).map(|source| source.to_string())
        };
        let name = "x-forwarded-for";
        for (sent, expected) in [
            (&[][..], "10.0.0.1"),
            (&[(name, "203.0.113.7")][..], "203.0.113.7"),
            (&[(name, "1.2.3.4, 203.0.113.7")][..], "203.0.113.7"),
            (&[(name, "1.2.3.4, 203.0.113.7, 10.0.0.2")][..], "203.0.113.7"),
            (&[(name, "1.2.3.4"), (name, "203.0.113.7")][..], "203.0.113.7"),
            (&[(name, "::ffff:203.0.113.7")][..], "203.0.113.7"),
            (&[(name, "203.0.113.7:4711")][..], "203.0.113.7"),
            (&[(name, "[2001:db8::1]:4711")][..], "2001:db8::1"),
            (&[(name, "1.2.3.4, nonsense")][..], "10.0.0.1"),
            (&[(name, "10.0.0.2, 10.0.0.1")][..], "10.0.0.1"),
        ] {
            for policy in &policies {
                assert_eq!(source(policy, [10, 0, 0, 1], sent).as_deref(), Some(expected), "{sent:?}");
                assert_eq!(source(policy, [192, 0, 2, 1], sent).as_deref(), Some("192.0.2.1"), "no proxy");
            }
            let trusting = OriginPolicy::dangerous_trust_host();
            assert_eq!(source(&trusting, [192, 0, 2, 1], sent).as_deref(), Some("192.0.2.1"));
        }
        for policy in &policies {
            assert_eq!(policy.source((&request(&[(name, "203.0.113.7")])).into()), None);
        }
    }

    /// S42: HTTP/2 says the host in the target; where both stand they must agree.
    #[test]
    fn s42_the_host_of_the_target() {
        let list = OriginPolicy::allow_list(["https://a.example", "https://b.example"]).unwrap();
        for (target, host, expected) in [
            ("https://b.example/x", None, Some("https://b.example")),
            ("https://B.example/x", Some("b.example"), Some("https://b.example")),
            ("https://b.example/x", Some("a.example"), None),
            ("https://evil.example/x", Some("a.example"), None),
            ("https://evil.example/x", None, None),
            ("/x", Some("a.example"), Some("https://a.example")),
            ("/x", None, None),
        ] {
            let mut request = request(&host.map(|host| ("host", host)).into_iter().collect::<Vec<_>>());
            *request.uri_mut() = target.parse().unwrap();
            let origin = list.resolve((&request).into());
            assert_eq!(origin.as_ref().map(|origin| origin.as_str()), expected, "{target} {host:?}");
        }
    }

    proptest! {
        /// S41, S95: whatever is asked for, a browser that follows the answer stays on this origin.
        #[test]
        fn s41_never_leaves_the_origin(url in "(/|\\\\|https?:|//|javascript:|@|[a-z.:?#%\\t\\n ]|app\\.example|evil\\.example|\\PC){0,12}") {
            let origin = fixed("https://app.example");
            let target = origin.allow(&url).unwrap_or_else(|| origin.as_str().to_owned());
            let page = Url::parse("https://app.example/api/auth/callback/credentials").unwrap();
            prop_assert_eq!(page.join(&target).unwrap().origin().ascii_serialization(), "https://app.example");
        }
    }
}
