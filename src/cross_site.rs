//! Refuses posts that a browser says come from another site, before the CSRF token is even looked at.
//!
//! The rule is `tower_http::csrf`'s: `Sec-Fetch-Site` where there is one, else `Origin` against this site;
//! a request that has neither comes from no browser and passes on to the token.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_layer::Layer;
use tower_service::Service;

use crate::{origin::OriginPolicy, reply};

type Refuse = fn(ProtectionError) -> Response<Bytes>;

/// The check, as configured.
#[derive(Clone)]
pub(crate) struct CrossSite {
    layer: Option<CsrfLayer<Refuse>>,
}

impl CrossSite {
    pub(crate) fn new(origin: &OriginPolicy, enabled: bool) -> Self {
        let trusted = origin.known().iter().fold(CsrfLayer::new(), |layer, origin| {
            // An origin as browsers write it is always taken.
            layer.clone().add_trusted_origin(origin.as_str()).unwrap_or(layer)
        });
        Self { layer: enabled.then(|| trusted.with_rejection_response(refuse as Refuse)) }
    }

    /// Calls `service` unless the request comes from another site.
    pub(crate) async fn guard<S, R>(&self, mut service: S, request: R) -> Result<Response<Bytes>, S::Error>
    where
        S: Service<R, Response = Response<Bytes>>,
        tower_http::csrf::Csrf<S, Refuse>: Service<R, Response = Response<Bytes>, Error = S::Error>,
    {
        match &self.layer {
            Some(layer) => layer.layer(service).call(request).await,
            None => service.call(request).await,
        }
    }
}

impl fmt::Debug for CrossSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrossSite").field("enabled", &self.layer.is_some()).finish()
    }
}

fn refuse(error: ProtectionError) -> Response<Bytes> {
    tracing::warn!(
        %error,
        "a post from another origin was refused; if it is this site under another name, open it under the \
         configured one, or change AUTH_URL"
    );
    reply::refusal(
        StatusCode::FORBIDDEN,
        r#"{"error":"CrossSiteRequest","message":"this form was sent from another origin than the site's"}"#,
    )
}
