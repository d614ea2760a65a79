//! What each algorithm is called and which keys it takes. Only this file calls the backend: the process-wide
//! default of `jsonwebtoken` panics when another dependency has switched on a second one.

#[cfg(feature = "aws-lc")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "aws-lc"))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

/// The signature algorithms of RFC 7518 section 3 and RFC 8037 that can be configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the registry")]
pub enum JwsAlgorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

/// The keys that an algorithm takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::codec) enum Family {
    Secret,
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl JwsAlgorithm {
    /// Those with a public key.
    pub const ASYMMETRIC: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    const fn row(self) -> (&'static str, Algorithm, Family) {
        match self {
            Self::HS256 => ("HS256", Algorithm::HS256, Family::Secret),
            Self::HS384 => ("HS384", Algorithm::HS384, Family::Secret),
            Self::HS512 => ("HS512", Algorithm::HS512, Family::Secret),
            Self::RS256 => ("RS256", Algorithm::RS256, Family::Rsa),
            Self::RS384 => ("RS384", Algorithm::RS384, Family::Rsa),
            Self::RS512 => ("RS512", Algorithm::RS512, Family::Rsa),
            Self::PS256 => ("PS256", Algorithm::PS256, Family::Rsa),
            Self::PS384 => ("PS384", Algorithm::PS384, Family::Rsa),
            Self::PS512 => ("PS512", Algorithm::PS512, Family::Rsa),
            Self::ES256 => ("ES256", Algorithm::ES256, Family::P256),
            Self::ES384 => ("ES384", Algorithm::ES384, Family::P384),
            Self::EdDSA => ("EdDSA", Algorithm::EdDSA, Family::Ed25519),
        }
    }

    /// Whether whoever can read its tokens can make them, too.
    #[cfg(feature = "oauth")]
    pub(crate) const fn is_symmetric(self) -> bool {
        matches!(self.family(), Family::Secret)
    }

    /// The value of `alg`.
    pub(crate) const fn name(self) -> &'static str {
        self.row().0
    }

    pub(in crate::codec) const fn family(self) -> Family {
        self.row().2
    }

    /// Whether the backend takes `key` for this algorithm.
    pub(in crate::codec) fn takes(self, key: &DecodingKey) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&self.row().1, key).is_ok()
    }

    /// Whether the holder of `key` has made `signature` over `signed`.
    pub(super) fn verifies(self, key: &DecodingKey, signed: &[u8], signature: &Vec<u8>) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&self.row().1, key)
            .is_ok_and(|verifier| verifier.verify(signed, signature).is_ok())
    }

    pub(super) fn sign(self, key: &EncodingKey, message: &[u8]) -> Option<Vec<u8>> {
        (DEFAULT_PROVIDER.signer_factory)(&self.row().1, key).ok()?.try_sign(message).ok()
    }
}
