//! Session cookies, good and bad, of each format and size.

use std::fmt;

use http::{HeaderMap, HeaderValue, header::COOKIE};
use portcullis::{
    Auth, Clock, Dialect, OriginPolicy, Secret, SystemClock, Timestamp,
    codec::{Codec, JweCbc, JweGcm, JwsHs512},
};
use serde_json::json;

const MONTH: i64 = 30 * 24 * 60 * 60;

/// Bytes of claims. A token of the last size takes several cookies.
pub const SIZES: [usize; 3] = [300, 1_500, 8_000];

/// What a browser sends besides.
const OTHER_COOKIES: &str = "_ga=GA1.1.1234567890.1768478400; theme=dark; \
    __Host-next-auth.csrf-token=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
    %7C0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef; \
    __Secure-next-auth.callback-url=https%3A%2F%2Fapp.example%2Faccount";

/// How the tokens are sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    V3,
    V4,
    V5,
    /// HS256 through the feature `jws`.
    #[cfg(feature = "_jws")]
    Jws,
}

impl Format {
    /// Those that requests are measured with.
    pub const MEASURED: &[Self] = &[
        Self::V4,
        Self::V5,
        #[cfg(feature = "_jws")]
        Self::Jws,
    ];

    pub fn auth(self) -> Auth {
        let builder = Auth::builder(secret()).origin(OriginPolicy::fixed("https://app.example").unwrap());
        match self {
            Self::V3 => builder.dialect(Dialect::V3),
            Self::V4 => builder.dialect(Dialect::V4),
            Self::V5 => builder.dialect(Dialect::V5),
            #[cfg(feature = "_jws")]
            Self::Jws => builder.codec(jws()),
        }
        .build()
        .unwrap()
    }

    pub fn codec(self) -> Box<dyn Codec> {
        match self {
            Self::V3 => Box::new(JwsHs512::new(&secret())),
            Self::V4 => Box::new(JweGcm::new(&secret(), "")),
            Self::V5 => Box::new(JweCbc::new(&secret(), self.cookie_name())),
            #[cfg(feature = "_jws")]
            Self::Jws => Box::new(jws()),
        }
    }

    pub fn cookie_name(self) -> &'static str {
        match self {
            Self::V5 => "__Secure-authjs.session-token",
            _ => "__Secure-next-auth.session-token",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3 => "v3",
            Self::V4 => "v4",
            Self::V5 => "v5",
            #[cfg(feature = "_jws")]
            Self::Jws => "jws",
        })
    }
}

pub fn secret() -> Secret {
    Secret::new("f1Zq0Yl8m2Wv9Jx4Tb7Rk3Nc6Hd5Sg1P")
}

#[cfg(feature = "_jws")]
fn jws() -> portcullis::codec::Jws {
    use portcullis::codec::{Jws, JwsAlgorithm, JwsKeys};
    Jws::new(JwsAlgorithm::HS256, JwsKeys::secret(&secret())).unwrap()
}

/// The cookies of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// No `Cookie` header at all.
    Nothing,
    /// Cookies, but no session.
    OtherCookies,
    /// A session of so many bytes of claims.
    Good(usize),
    /// A cookie as long, whose parts are noise.
    Garbage(usize),
    /// The good one with another character in the middle.
    Tampered(usize),
}

impl Sent {
    pub fn headers(self, format: Format) -> HeaderMap {
        let cookies = match self {
            Self::Nothing => return HeaderMap::new(),
            Self::OtherCookies => OTHER_COOKIES.to_owned(),
            Self::Good(size) => with_session(format, &token(format, size)),
            Self::Garbage(size) => {
                let noise = |letter| if letter == '.' { '.' } else { 'x' };
                with_session(format, &token(format, size).chars().map(noise).collect::<String>())
            }
            Self::Tampered(size) => {
                let mut token = token(format, size);
                let middle = token.len() / 2;
                let other = if token.as_bytes()[middle] == b'A' { "B" } else { "A" };
                token.replace_range(middle..=middle, other);
                with_session(format, &token)
            }
        };
        HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(cookies).unwrap())])
    }
}

/// Claims as a sign-in with a third party leaves them: the user, the times, and an access token that takes up
/// the rest.
pub fn claims(size: usize) -> Vec<u8> {
    let now = Timestamp::from(SystemClock.now()).as_secs();
    let mut claims = json!({
        "name": "J Smith", "email": "jsmith@example.com", "picture": "https://cdn.example/u/1.png",
        "sub": "1f0c9a52", "accessToken": "",
        "iat": now, "exp": now + MONTH, "jti": "0e5d2f3c-58e4-4d0c-9b7e-6a1f0c9a5215",
    });
    let used = claims.to_string().len();
    claims["accessToken"] = "x".repeat(size - used).into();
    claims.to_string().into_bytes()
}

pub fn token(format: Format, size: usize) -> String {
    format.codec().encode(&claims(size)).unwrap()
}

/// The header of a browser that has this session cookie among others.
pub fn with_session(format: Format, token: &str) -> String {
    let name = format.cookie_name();
    let mut line = OTHER_COOKIES.to_owned();
    if token.len() <= CHUNK {
        line += &format!("; {name}={token}");
    } else {
        for (number, chunk) in token.as_bytes().chunks(CHUNK).enumerate() {
            line += &format!("; {name}.{number}={}", str::from_utf8(chunk).unwrap());
        }
    }
    line
}

/// The shorter one of v4 and v5.
const CHUNK: usize = 3_933;

pub fn kilobytes(size: usize) -> String {
    format!("{:.1} KB", size as f64 / 1000.0)
}
