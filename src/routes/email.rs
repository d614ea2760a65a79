//! Links by mail: asked for at `POST /signin/ID`, opened at `GET /callback/ID` (`docs/protocol.md` section 8). Where a
//! page asks first, its form is posted to the same URL; a code is posted there, too.

mod code;
mod send;

use http::StatusCode;

pub(super) use self::{code::form as code_form, send::send};
use super::{
    Cx,
    callback::{self, Proven},
};
use crate::{
    auth::Site,
    cookie::CookieHeaders,
    error::ErrorCode,
    mail::EmailAddress,
    mailed::Asked,
    pages,
    provider::{Email, Provider},
    reply::Reply,
    store::{StoreError, Stores},
    user::{Account, User},
};

/// Opens a link: signs in, or asks whether to.
pub(super) async fn open(cx: &Cx, email: &Email) -> Reply {
    match Link::read(cx, email) {
        Ok(link) if email.asks_first() => confirm(cx, email, &link),
        Ok(link) => link.redeem(cx, email).await,
        Err(refusal) => refusal,
    }
}

/// Takes what a form of ours posts: a code, or that the link is meant.
pub(super) async fn confirmed(cx: &Cx, email: &Email) -> Reply {
    if email.has_code() && cx.body.text("code").is_some() {
        return code::enter(cx, email).await;
    }
    match Link::read(cx, email) {
        Ok(link) if email.asks_first() => link.redeem(cx, email).await,
        Ok(_) => cx.unsupported(),
        Err(refusal) => refusal,
    }
}

/// Whether a page stands at this path, for which HEAD is like GET.
pub(super) fn shows_page(site: &Site, path: &str) -> bool {
    let provider = site.endpoint(path).and_then(|rest| rest.strip_prefix("callback/"));
    let provider = provider.and_then(|id| site.provider(id));
    matches!(provider, Some(Provider::Email(email)) if email.asks_first())
}

/// What a link holds, and whether this browser has asked for it.
struct Link<'a> {
    token: &'a str,
    identifier: &'a str,
    asked_here: bool,
}

impl<'a> Link<'a> {
    fn read(cx: &'a Cx, email: &Email) -> Result<Self, Reply> {
        let Some(token) = cx.query.text("token").filter(|token| !token.is_empty()) else {
            let code = cx.auth.settings.rules.missing_token;
            return Err(failed(cx, email, ErrorCode::MissingToken { code }));
        };
        let identifier = cx.query.text("email").unwrap_or_default();
        let asked_here = asked(cx, email).is_some_and(|asked| asked.email == identifier);
        if email.is_for_one_browser() && !asked_here {
            tracing::info!("a mailed link was opened in another browser than the one that asked for it");
            return Err(failed(cx, email, ErrorCode::Verification));
        }
        Ok(Self { token, identifier, asked_here })
    }

    async fn redeem(self, cx: &Cx, email: &Email) -> Reply {
        let Some(stores) = &cx.auth.settings.stores else {
            return failed(cx, email, ErrorCode::Configuration);
        };
        // Made with an older secret, too.
        for hash in cx.site.link_hashes(email, self.token) {
            match used(cx, stores, self.identifier, &hash).await {
                Ok(Used::Good(address)) => return admit(cx, stores, email, &address).await,
                Ok(Used::Late) => return failed(cx, email, ErrorCode::Verification),
                Ok(Used::Unknown) => {}
                Err(_) => return failed(cx, email, ErrorCode::Callback),
            }
        }
        failed(cx, email, ErrorCode::Verification)
    }
}

/// Asks. Nothing is looked up, so the page is the same for links that are good and links that are not.
fn confirm(cx: &Cx, email: &Email, link: &Link<'_>) -> Reply {
    // Nothing but an address is shown: anybody can make up a link.
    let Some(address) = EmailAddress::parse(link.identifier) else {
        return failed(cx, email, ErrorCode::Verification);
    };
    let page = pages::Confirm {
        origin: &cx.origin,
        csrf_token: &cx.csrf.token,
        address: address.as_str(),
        is_elsewhere: !link.asked_here,
    };
    cx.page(StatusCode::OK, pages::confirm(&cx.site.style, &page)).with_secret_url()
}

/// What came of using a link up.
enum Used {
    /// It proves this address.
    Good(EmailAddress),
    /// It is over now, and was before.
    Late,
    Unknown,
}

/// Uses a link up, by what the store keeps it as, however old it is.
async fn used(cx: &Cx, stores: &Stores, identifier: &str, hash: &str) -> Result<Used, StoreError> {
    let row = stores.ask(stores.tokens.use_verification_token(identifier, hash)).await?;
    let Some(row) = row else { return Ok(Used::Unknown) };
    let good = row.expires > cx.visit.now && row.identifier == identifier;
    let address = EmailAddress::parse(&row.identifier).filter(|_| good);
    Ok(address.map_or(Used::Late, Used::Good))
}

/// Signs in whoever has proved this address.
async fn admit(cx: &Cx, stores: &Stores, email: &Email, address: &EmailAddress) -> Reply {
    let Ok(user) = user_of(stores, address).await else { return failed(cx, email, ErrorCode::Callback) };
    let reply = callback::finish(cx, email.id(), Proven::new(user, account_of(email, address))).await;
    if email.marks_browser() && asked(cx, email).is_some_and(|asked| asked.email == address.as_str()) {
        return reply.with_cookies(vec![cx.site.mail.asked.remove(cx.visit.https, cx.visit.now)]);
    }
    reply
}

/// What this browser has asked this provider for.
fn asked(cx: &Cx, email: &Email) -> Option<Asked> {
    let cookies = CookieHeaders::of(&cx.parts.headers);
    cx.site.mail.asked.find(email.id(), &cookies, cx.visit.https, cx.visit.now)
}

/// The user with this address, or who they would be.
async fn user_of(stores: &Stores, address: &EmailAddress) -> Result<User, StoreError> {
    let known = stores.ask(stores.users.user_by_email(address.as_str())).await?;
    Ok(known.unwrap_or_else(|| User::new(address.as_str()).email(address.as_str())))
}

fn account_of(email: &Email, address: &EmailAddress) -> Account {
    Account::new("email", email.id(), address.as_str())
}

fn failed(cx: &Cx, email: &Email, error: ErrorCode) -> Reply {
    cx.fail(error, Some(email.id()), StatusCode::OK)
}
