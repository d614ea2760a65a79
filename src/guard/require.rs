use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::Response;
use tower_layer::Layer;

use super::{path::Paths, refusal::Refused, rule::Rule, service::Guard};
use crate::session::Claims;

/// Lets through whom it is told to. See the [module](crate::guard).
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::RequireAuth;
///
/// let app: Router = Router::new()
///     .route("/account", get(|| async { "yours" }))
///     .route("/admin", get(|| async { "all of it" }).layer(RequireAuth::role("admin")))
///     .layer(RequireAuth::signed_in());
/// // and outside of it: .layer(AuthLayer::new(auth))
/// # let _ = app;
/// ```
#[derive(Clone)]
#[must_use]
pub struct RequireAuth {
    pub(super) rule: Rule,
    pub(super) paths: Paths,
    pub(super) answer: Answer,
    pub(super) forbidden_to_sign_in: bool,
    pub(super) cookie_only: bool,
    /// The sign-in and error pages of the site are not guarded.
    pub(super) passes_own_pages: bool,
    pub(super) sign_in_page: Option<Arc<str>>,
    pub(super) refuse_with: Option<RefuseWith>,
}

pub(super) type RefuseWith = Arc<dyn Fn(&Refused<'_>) -> Option<Response<Bytes>> + Send + Sync>;

/// How somebody is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Auto,
    Page,
    Json,
    Grpc,
}

impl RequireAuth {
    /// Signed-in users who satisfy a [`Rule`].
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            paths: Paths::default(),
            answer: Answer::Auto,
            forbidden_to_sign_in: false,
            cookie_only: false,
            passes_own_pages: false,
            sign_in_page: None,
            refuse_with: None,
        }
    }

    /// Anybody who is signed in: [`Rule::signed_in`].
    pub fn signed_in() -> Self {
        Self::new(Rule::signed_in())
    }

    /// Users with a role: [`Rule::role`]. Both a role and something else: [`Rule::all`].
    pub fn role(role: impl Into<String>) -> Self {
        Self::new(Rule::role(role))
    }

    /// Users whose token's claims satisfy a function: [`Rule::when`].
    pub fn when(predicate: impl Fn(&Claims) -> bool + Send + Sync + 'static) -> Self {
        Self::new(Rule::when(predicate))
    }

    /// As the middleware `withAuth` of next-auth does it (`docs/protocol.md` section 16): everybody who may
    /// not pass is sent to the sign-in page, which itself is not guarded, nor are the error page,
    /// `/favicon.ico` and what is below `/_next`. With [`matching`](Self::matching) as its `matcher`.
    ///
    /// ```
    /// use portcullis::{RequireAuth, guard::Rule};
    ///
    /// // export default withAuth({ callbacks: { authorized: ({ token }) => token?.role === "admin" } })
    /// // export const config = { matcher: ["/admin/:path*"] }
    /// let guard = RequireAuth::with_auth(Rule::role("admin")).matching(["/admin/:path*"]);
    /// # let _ = guard;
    /// ```
    pub fn with_auth(rule: Rule) -> Self {
        let mut guard = Self { passes_own_pages: true, ..Self::new(rule) };
        guard.paths.leave_out_everywhere(["/_next/:path*", "/favicon.ico"].iter());
        guard.page().forbidden_to_sign_in()
    }

    /// Guards these paths only; all others pass. Patterns are some of those of Next.js: `/admin` is that path,
    /// `/admin/:id` has one more segment, `/admin/:id?` perhaps one, `/admin/:path*` any number, `/admin/:path+` at
    /// least one; Axum's `/admin/{id}` and `/admin/{*path}` are taken, too. For gRPC a path is
    /// `/package.Service/Method`. Called twice it adds to the list.
    ///
    /// A pattern that is not understood (a regular expression, a lone `*`) is logged as an error and guards every
    /// path. A guard in a nested router of Axum looks at both paths, the whole one and the one without the prefix.
    pub fn matching(mut self, patterns: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.paths.guard_only(patterns.into_iter());
        self
    }

    /// Does not guard these paths: patterns as in [`matching`](Self::matching). One that is not understood
    /// excepts nothing.
    pub fn except(mut self, patterns: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.paths.leave_out(patterns.into_iter());
        self
    }

    /// Refuses as for a page, whatever the request looks like; a gRPC call, too.
    pub fn page(mut self) -> Self {
        self.answer = Answer::Page;
        self
    }

    /// For a gRPC service: refuses with a status, whatever the request looks like, and lets nothing pass that is no
    /// gRPC call. Tonic does not ask what a request is, so without this a page of another site could call a
    /// method with a plain form, and the browser would send the cookie along.
    pub fn grpc(mut self) -> Self {
        self.answer = Answer::Grpc;
        self
    }

    /// Refuses as JSON, whatever the request looks like; a gRPC call, too.
    pub fn json(mut self) -> Self {
        self.answer = Answer::Json;
        self
    }

    /// Sends users who are not allowed to the sign-in page too, as `withAuth` of next-auth does, in place of 403.
    pub fn forbidden_to_sign_in(mut self) -> Self {
        self.forbidden_to_sign_in = true;
        self
    }

    /// Sends people to another sign-in page than the site's: a path of this site, or a URL. It is given
    /// `callbackUrl`.
    pub fn sign_in_page(mut self, page: impl Into<String>) -> Self {
        self.sign_in_page = Some(page.into().into());
        self
    }

    /// Answers refusals in the application's own way; `None` leaves one as it is, and so does a function that
    /// panics. It is asked about everything that does not pass, also about errors and gRPC calls: answer what you
    /// know, and leave the rest.
    ///
    /// ```
    /// use portcullis::{RequireAuth, guard::Refusal, http::{Response, header::LOCATION}};
    ///
    /// let guard = RequireAuth::role("admin").refuse_with(|refused| match (refused.refusal, refused.sign_in_url) {
    ///     (Refusal::NotSignedIn, Some(url)) => {
    ///         Response::builder().status(303).header(LOCATION, url).body("".into()).ok()
    ///     }
    ///     (Refusal::Forbidden, _) => Response::builder().status(403).body("for admins".into()).ok(),
    ///     _ => None,
    /// });
    /// # let _ = guard;
    /// ```
    pub fn refuse_with(
        mut self,
        answer: impl Fn(&Refused<'_>) -> Option<Response<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        self.refuse_with = Some(Arc::new(answer));
        self
    }

    /// Looks at the session cookie only. Otherwise a token in `Authorization: Bearer` counts as well, as in
    /// `withAuth`; the callbacks are not asked about such a token, so one that they would end passes until it
    /// expires.
    pub fn cookie_only(mut self) -> Self {
        self.cookie_only = true;
        self
    }
}

impl From<Rule> for RequireAuth {
    fn from(rule: Rule) -> Self {
        Self::new(rule)
    }
}

impl<S> Layer<S> for RequireAuth {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard::new(inner, self.clone())
    }
}

impl fmt::Debug for RequireAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAuth")
            .field("rule", &self.rule)
            .field("paths", &self.paths)
            .field("answer", &self.answer)
            .finish_non_exhaustive()
    }
}
