//! What is written down of links and codes by mail: row S81 of `docs/security.md`.
//!
//! On the thread of the test, so with the store in memory alone; what another store is given of a link is hashed (S28).

use std::sync::Arc;

use portcullis::{
    BoxError, Dialect, Email, Event, JwtContext, SignInContext, SignInDecision,
    mail::{Mail, Mailbox, Mailer},
    store::{MemoryStore, Store},
};
use tracing::Level;

use crate::{
    codes::{code, type_code, wrong},
    mail::{ask, goes_to, link},
    site::{browser, site},
    support::{Browser, SECRET, log::Log},
};

const ADDRESS: &str = "canary-address@example.com";

/// A mailer that prints what it is given, as far as that shows itself, and sends nothing to some.
#[derive(Debug, Clone)]
struct Printing(Mailbox, LogOf);

#[derive(Clone)]
struct LogOf(Log);

impl std::fmt::Debug for LogOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogOf")
    }
}

#[async_trait::async_trait]
impl Mailer for Printing {
    async fn send(&self, mail: Mail) -> Result<(), BoxError> {
        self.1.0.debug(&(&mail, &mail.to));
        if mail.to.as_str().starts_with("down") {
            return Err("the server is down".into());
        }
        self.0.send(mail).await
    }
}

/// What a browser has, and what is in its mail.
fn learn(private: &mut Vec<String>, browser: &Browser, mails: &[Mail]) {
    private.extend(browser.jar.values().cloned());
    for mail in mails {
        let link = link(mail);
        let token = link.split("token=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        private.extend([token, code(mail), wrong(&code(mail))]);
    }
}

/// S81: of asking, of typing wrongly and rightly, of links that are good, used, old or none, and of mail that cannot be sent.
#[tokio::test]
async fn s81_nothing_of_a_mail_is_logged() {
    for dialect in Dialect::ALL {
        let (log, guard) = Log::of(Level::TRACE);
        let (mailbox, store) = (Mailbox::default(), Arc::new(MemoryStore::new()) as Arc<dyn Store>);
        let (sign_in, jwt, event) = (log.clone(), log.clone(), log.clone());
        let (clock, builder) = site(&store);
        let mailer = Printing(mailbox.clone(), LogOf(log.clone()));
        let builder = builder
            .dialect(dialect)
            .provider(Email::new(mailer).code(true))
            .on_sign_in(move |context: SignInContext| {
                // Not the user, whose id is the address until there is one in the store, as in Auth.js.
                sign_in.debug(&(&context.account, &context.credentials));
                async { Ok(SignInDecision::Allow) }
            })
            .on_jwt(move |JwtContext { token, user, account, trigger, .. }: JwtContext| {
                jwt.debug(&(&token, user, account, trigger));
                async { Ok(Some(token)) }
            })
            .on_event(move |happened: Event| {
                event.debug(&happened);
                async { Ok(()) }
            });
        log.debug(&builder);
        let auth = builder.build().unwrap();
        let mut private = vec![SECRET.to_owned(), ADDRESS.to_owned(), "canary".to_owned()];

        // A code, wrongly and rightly; then its link, which it has used up.
        let mut here = browser(&auth);
        let page = goes_to(&ask(&mut here, ADDRESS).await);
        here.get(&page).await;
        let mails = mailbox.take();
        learn(&mut private, &here, &mails);
        type_code(&mut here, &wrong(&code(&mails[0]))).await;
        type_code(&mut here, "canary").await;
        type_code(&mut here, &code(&mails[0])).await;
        assert_ne!(here.who().await, "nobody");
        here.session().await;
        learn(&mut private, &here, &[]);
        assert!(goes_to(&here.clone().get(&link(&mails[0])).await).ends_with("error=Verification"));

        // A link in another browser, once more, torn, and of another address.
        ask(&mut here, ADDRESS).await;
        let mails = mailbox.take();
        learn(&mut private, &here, &mails);
        let good = link(&mails[0]);
        let mut there = browser(&auth);
        for broken in [
            good.replace("token=", "token=canary"),
            good.replace(ADDRESS, "canary@example.com").replace("canary-address%40", "canary%40"),
            "/api/auth/callback/email?token=canary-token&email=canary".to_owned(),
        ] {
            assert!(goes_to(&there.get(&broken).await).contains("error="), "{dialect}: {broken}");
        }
        there.get(&good).await;
        assert_ne!(there.who().await, "nobody", "{dialect}");
        there.get(&good).await;
        learn(&mut private, &there, &[]);

        // One that is too old, an address that is none, a form without its token, and a server that is down.
        ask(&mut here, ADDRESS).await;
        let mails = mailbox.take();
        learn(&mut private, &here, &mails);
        clock.advance(25 * crate::site::HOUR);
        browser(&auth).get(&link(&mails[0])).await;
        for address in ["canary@@example.com", "down-canary@example.com"] {
            assert!(
                goes_to(&ask(&mut browser(&auth), address).await).contains("error="),
                "{dialect}: {address}"
            );
        }
        let fields = [("csrfToken", "canary"), ("email", ADDRESS)];
        browser(&auth).post("/api/auth/signin/email", &fields).await;
        here.sign_out().await;

        drop(guard);
        let text = log.text();
        for logged in ["the server is down", "without a verified CSRF token", "SignIn"] {
            assert!(text.contains(logged), "{dialect}: nothing was captured of {logged:?}: {text}");
        }
        private.retain(|value| value.len() > 5 && !value.starts_with("http"));
        assert!(private.len() > 10);
        for value in private {
            let line = text.lines().find(|line| line.contains(&value));
            assert!(line.is_none(), "{dialect}: {value} stands in {line:?}");
        }
    }
}
