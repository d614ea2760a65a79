//! Which addresses a name leads to.

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use crate::http_client::address::is_loopback;

type Found<A> = Pin<Box<dyn Future<Output = io::Result<A>> + Send>>;

/// Asks once for each connection, and hands on what was found, so nobody can answer otherwise later (DNS rebinding,
/// SECURITY S40).
///
/// Any other name may lead anywhere, to this machine as well: it goes over TLS, and a server that is not meant has no
/// certificate for it. `localhost` may go in the clear, so it has to be this machine, whatever the name service says.
#[derive(Clone)]
pub(super) struct Resolver(Arc<dyn Fn(Name) -> Found<Vec<SocketAddr>> + Send + Sync>);

impl Resolver {
    /// What the system says.
    pub(super) fn of_system() -> Self {
        Self::new(|name| {
            let mut system = GaiResolver::new();
            async move { Ok(system.call(name).await?.collect()) }
        })
    }

    pub(super) fn new<F>(find: impl Fn(Name) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        Self(Arc::new(move |name| Box::pin(find(name))))
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Found<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let is_local = is_loopback(name.as_str());
        let found = (self.0)(name);
        Box::pin(async move {
            let mut addresses = found.await?;
            if is_local {
                addresses.retain(|address| address.ip().to_canonical().is_loopback());
                if addresses.is_empty() {
                    let problem = "localhost leads to another machine: mend the hosts file of this one";
                    return Err(io::Error::other(problem));
                }
            }
            Ok(addresses.into_iter())
        })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
