//! Mailed links at a site of this crate, which a program is given to complete.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    Auth, AuthLayer, Dialect, Email, OriginPolicy, Secret,
    client::{Client, ClientErrorKind, SignInOptions, SignInResponse},
    http_client::ServiceClient,
    mail::Mailbox,
    store::MemoryStore,
};
use tower::{Layer, service_fn};

use crate::{
    replies::{Replies, Reply},
    support::{ORIGIN, SECRET},
    time::Time,
};

/// A site that mails links.
struct Site {
    auth: Auth,
    time: Time,
    mailbox: Mailbox,
}

impl Site {
    fn new(dialect: Dialect, change: impl FnOnce(Email) -> Email) -> Self {
        let (time, mailbox) = (Time::at_noon(), Mailbox::default());
        let auth = Auth::builder(Secret::new(SECRET))
            .origin(OriginPolicy::fixed(ORIGIN).unwrap())
            .clock(time.clone())
            .dialect(dialect)
            .provider(change(Email::new(mailbox.clone())))
            .store(MemoryStore::new());
        Self { auth: auth.build().unwrap(), time, mailbox }
    }

    /// A new visitor.
    fn client(&self) -> Client {
        let site = AuthLayer::new(self.auth.clone()).layer(service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        }));
        let http = ServiceClient::new(site);
        Client::builder(ORIGIN).http_client(http).clock(self.time.clone()).build().unwrap()
    }

    /// The link that a visitor asks for.
    async fn link(&self, client: &Client) -> String {
        let options = SignInOptions::new().field("email", ADDRESS).callback_url("/after");
        assert_eq!(client.sign_in("email", options, &[]).await.unwrap().error(), None);
        let mail = self.mailbox.take().remove(0);
        mail.text.lines().find(|line| line.contains("/api/auth/callback/")).unwrap().to_owned()
    }
}

const ADDRESS: &str = "pat@example.com";

/// Where it leads to.
async fn signs_in(client: &Client, link: &str, case: &str) -> String {
    let done = client.complete_sign_in(link).await.unwrap();
    assert_eq!((done.error, done.ok), (None, true), "{case}");
    let session = client.get_session().await.unwrap().unwrap_or_else(|| panic!("{case}: nobody"));
    assert_eq!(session.user.email.as_deref(), Some(ADDRESS), "{case}");
    done.url.unwrap()
}

async fn is_refused(client: &Client, link: &str, case: &str) {
    let done = client.confirm_sign_in(link).await.unwrap();
    assert_eq!((done.error.as_deref(), done.url), (Some("Verification"), None), "{case}");
    assert_eq!(client.get_session().await.unwrap(), None, "{case}");
}

/// Where opening it shows a page, the page's form is posted.
#[tokio::test]
async fn a_link_signs_in_where_the_site_asks_first() {
    for dialect in Dialect::ALL {
        for (confirm, same_browser) in [(false, false), (false, true), (true, false), (true, true)] {
            let case = format!("{dialect}, confirm {confirm}, same browser {same_browser}");
            let site = Site::new(dialect, |email| email.confirm(confirm).same_browser(same_browser));
            let asks = site.client();
            let link = site.link(&asks).await;
            let to = signs_in(&asks, &link, &case).await;
            assert_eq!(to, "http://localhost:3000/after", "{case}");
            is_refused(&site.client(), &link, &format!("{case}, once more")).await;

            let (asks, other) = (site.client(), site.client());
            let link = site.link(&asks).await;
            if same_browser {
                is_refused(&other, &link, &format!("{case}, another visitor")).await;
                signs_in(&asks, &link, &case).await;
            } else {
                let case = format!("{case}, another visitor");
                if confirm {
                    let asked = other.complete_sign_in(&link).await.unwrap_err();
                    assert_eq!(asked.kind(), ClientErrorKind::Unconfirmed, "{case}");
                    assert_eq!(other.get_session().await.unwrap(), None, "{case}");
                    assert_eq!(other.confirm_sign_in(&link).await.unwrap().error, None, "{case}");
                    assert!(other.get_session().await.unwrap().is_some(), "{case}");
                } else {
                    signs_in(&other, &link, &case).await;
                }
            }
        }
    }
}

/// What the page's form sends, in the place of the button.
#[tokio::test]
async fn the_form_of_the_page_is_posted_to_the_link() {
    let replies = Replies::new()
        .with("csrf", Reply::json(&serde_json::json!({ "csrfToken": "token" })))
        .with("callback/email", Reply::status(200))
        .with("POST callback/email", Reply::json(&serde_json::json!({ "url": "/after" })));
    let client = Client::builder(ORIGIN).http_client(replies.http()).build().unwrap();
    let link = format!("{ORIGIN}/api/auth/callback/email?token=1&email=a%40example.com");
    let SignInResponse { error, ok, url, .. } = client.confirm_sign_in(&link).await.unwrap();
    assert_eq!((error, ok, url.as_deref()), (None, true, Some("http://localhost:3000/after")));
    let asked: Vec<_> = replies.asked().iter().map(|asked| asked.endpoint()).collect();
    assert_eq!(asked, ["callback/email", "csrf", "POST callback/email"]);
    let posted = replies.last();
    assert_eq!(posted.uri.query(), Some("token=1&email=a%40example.com"));
    let names: Vec<_> = posted.form().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["csrfToken", "json"]);
}

/// Any other site may have a page at such a URL.
#[tokio::test]
async fn a_page_that_asks_nothing_is_no_sign_in() {
    let page = Reply::status(200);
    for (posted, kind) in [
        (page.clone(), ClientErrorKind::Shape),
        (Reply::status(400), ClientErrorKind::Status),
        (page.clone().with_body("<!doctype html>"), ClientErrorKind::Shape),
    ] {
        let replies = Replies::new().with("callback/email", page.clone()).with("POST callback/email", posted);
        let client = Client::builder(ORIGIN).http_client(replies.http()).build().unwrap();
        let link = format!("{ORIGIN}/api/auth/callback/email?token=1");
        assert_eq!(client.complete_sign_in(&link).await.unwrap_err().kind(), ClientErrorKind::Unconfirmed);
        assert_eq!(client.confirm_sign_in(&link).await.unwrap_err().kind(), kind);
    }
}
