use ::tonic::server::NamedService;

use crate::{guard::Guard, layer::AuthService};

/// A guarded service is routed to like the service.
impl<S: NamedService> NamedService for Guard<S> {
    const NAME: &'static str = S::NAME;
}

/// A service with the layer of its own is routed to like the service.
impl<S: NamedService> NamedService for AuthService<S> {
    const NAME: &'static str = S::NAME;
}
