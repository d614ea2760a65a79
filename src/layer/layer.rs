use tower_layer::Layer;

use super::AuthService;
use crate::auth::Auth;

/// Resolves the session of each request and serves the endpoints. See the [module](crate::layer).
#[derive(Debug, Clone)]
#[must_use]
pub struct AuthLayer {
    auth: Auth,
}

impl AuthLayer {
    /// A layer for this configuration. Put it outside of everything that asks for the session.
    pub fn new(auth: Auth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService::new(inner, self.auth.clone())
    }
}
