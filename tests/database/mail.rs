//! Links by mail: rows S28 and S48 to S54 of `docs/security.md`, and `docs/protocol.md` section 8.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis::{
    Auth, BoxError, Dialect, Email, Pages, Secret, SignInDecision, Theme,
    mail::{EmailAddress, Mail, Mailbox, Mailer},
    store::Store,
};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    site::{browser, site},
    stores::on_each_store,
    support::{Answer, Browser, NOW, SECRET},
};

on_each_store![
    a_link_signs_in,
    s28_what_the_table_holds_is_no_link,
    s48_a_link_works_once,
    s49_a_token_is_bound_to_its_address,
    s50_no_token_without_a_mail,
    s54_the_mail_shows_what_is_ours,
    s54_the_mail_wears_the_theme,
    links_grow_old,
    a_provider_may_have_a_secret_of_its_own,
    addresses_may_be_judged_otherwise,
    the_callback_is_asked_twice,
    addresses_are_refused_in_the_words_of_the_dialect,
    new_users_are_led_to_their_page,
];

pub fn mailing(store: &Arc<dyn Store>) -> (crate::support::ManualClock, portcullis::AuthBuilder, Mailbox) {
    mailing_with(store, |email| email)
}

/// Likewise, with a provider that is set up otherwise.
pub fn mailing_with(
    store: &Arc<dyn Store>,
    change: impl FnOnce(Email) -> Email,
) -> (crate::support::ManualClock, portcullis::AuthBuilder, Mailbox) {
    let mailbox = Mailbox::default();
    let (clock, builder) = site(store);
    (clock, builder.provider(change(Email::new(mailbox.clone()))), mailbox)
}

pub async fn ask(browser: &mut Browser, address: &str) -> Answer {
    let token = browser.csrf_token().await;
    browser
        .post("/api/auth/signin/email", &[("csrfToken", &*token), ("email", address), ("json", "true")])
        .await
}

/// The path of the link in a mail.
pub fn link(mail: &Mail) -> String {
    let url = mail.text.lines().find(|line| line.contains("/api/auth/callback/")).unwrap();
    url.strip_prefix(crate::support::ORIGIN).unwrap().to_owned()
}

pub fn goes_to(answer: &Answer) -> String {
    answer.header("location").map_or_else(|| answer.json()["url"].as_str().unwrap().to_owned(), str::to_owned)
}

async fn a_link_signs_in(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let auth = builder.build().unwrap();
    let mut here = browser(&auth);
    let answer = ask(&mut here, " Pat@Example.COM ").await;
    assert!(goes_to(&answer).ends_with("/api/auth/verify-request?provider=email&type=email"));
    assert_eq!(here.who().await, "nobody");
    let mail = mailbox.take().remove(0);
    assert_eq!((mail.to.as_str(), &*mail.subject), ("pat@example.com", "Sign in to localhost:3000"));
    // In another browser, too.
    let mut there = browser(&auth);
    let answer = there.get(&link(&mail)).await;
    assert_eq!((answer.status.as_u16(), &*goes_to(&answer)), (302, "http://localhost:3000"));
    assert_eq!(there.session().await["user"]["email"], "pat@example.com");
    let who = there.who().await;
    let user = store.user(&who).await.unwrap().unwrap();
    assert_eq!(user.email_verified.unwrap().as_secs(), NOW);
    // The same person again.
    ask(&mut here, "pat@example.com").await;
    here.get(&link(&mailbox.take()[0])).await;
    assert_eq!(here.who().await, who);
}

/// S28, S49: one-time tokens are hashed, and the hash opens nothing.
async fn s28_what_the_table_holds_is_no_link(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let auth = builder.build().unwrap();
    ask(&mut browser(&auth), "pat@example.com").await;
    let link = link(&mailbox.take()[0]);
    let (before, rest) = link.split_once("token=").unwrap();
    let (token, after) = rest.split_once('&').unwrap();
    // As `docs/protocol.md` section 8 has it.
    let kept = Sha256::digest(format!("{token}{SECRET}"));
    let kept: String = kept.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut thief = browser(&auth);
    let answer = thief.get(&format!("{before}token={kept}&{after}")).await;
    assert!(goes_to(&answer).ends_with("error?error=Verification"));
    assert_eq!(thief.who().await, "nobody");
    // That was what the table holds, and not what the mail does.
    assert!(store.use_verification_token("pat@example.com", token).await.unwrap().is_none());
    assert!(store.use_verification_token("pat@example.com", &kept).await.unwrap().is_some());
}

async fn s48_a_link_works_once(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let auth = builder.build().unwrap();
    ask(&mut browser(&auth), "pat@example.com").await;
    let link = link(&mailbox.take()[0]);
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (mut browser, link) = (browser(&auth), link.clone());
        racers.spawn(async move {
            let answer = browser.get(&link).await;
            (browser.who().await != "nobody", goes_to(&answer))
        });
    }
    let mut winners = 0;
    while let Some(racer) = racers.join_next().await {
        let (signed_in, to) = racer.unwrap();
        winners += usize::from(signed_in);
        assert!(signed_in || to.ends_with("error?error=Verification"), "{to}");
    }
    assert_eq!(winners, 1);
}

async fn s49_a_token_is_bound_to_its_address(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let auth = builder.build().unwrap();
    ask(&mut browser(&auth), "victim@example.com").await;
    ask(&mut browser(&auth), "attacker@example.com").await;
    let mails = mailbox.take();
    let good = link(&mails[1]);
    let mut browser = browser(&auth);
    for bad in [
        good.replace("attacker", "victim"),
        good.replace("email=attacker%40example.com", "email="),
        good.replace("&email=attacker%40example.com", ""),
        format!("{good}&email=victim%40example.com"),
        format!("{good}0"),
    ] {
        let answer = browser.get(&bad).await;
        assert!(goes_to(&answer).ends_with("error?error=Verification"), "{bad}: {}", goes_to(&answer));
        assert_eq!(browser.who().await, "nobody");
    }
    // The right address with a token that nobody was given.
    let made_up = "token=".to_owned() + &"0".repeat(64);
    let at = good.find("token=").unwrap();
    assert!(
        goes_to(&browser.get(&good.replace(&good[at..at + 70], &made_up)).await).ends_with("Verification")
    );
    browser.get(&good).await;
    assert_eq!(browser.session().await["user"]["email"], "attacker@example.com");
}

/// Refuses, and notes whether the token was there already.
#[derive(Debug, Clone)]
struct Refusing(Arc<Mutex<Vec<Mail>>>);

#[async_trait::async_trait]
impl Mailer for Refusing {
    async fn send(&self, mail: Mail) -> Result<(), BoxError> {
        self.0.lock().unwrap().push(mail);
        Err("no mail today".into())
    }
}

async fn s50_no_token_without_a_mail(store: Arc<dyn Store>) {
    let refused = Refusing(Arc::default());
    let auth = site(&store).1.provider(Email::new(refused.clone())).build().unwrap();
    let mut browser = browser(&auth);
    let answer = ask(&mut browser, "pat@example.com").await;
    assert!(goes_to(&answer).ends_with("error?error=EmailSignin"));
    let link = link(&refused.0.lock().unwrap()[0]);
    assert!(goes_to(&browser.get(&link).await).ends_with("error?error=Verification"));
}

async fn s54_the_mail_shows_what_is_ours(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let auth = builder.build().unwrap();
    let mut browser = browser(&auth);
    let token = browser.csrf_token().await;
    let evil = "/x?\"><script>alert(1)</script>";
    let fields = [("csrfToken", &*token), ("email", "pat'&x=@example.com"), ("callbackUrl", evil)];
    browser.post("/api/auth/signin/email", &fields).await;
    let mail = mailbox.take().remove(0);
    assert!(!mail.html.contains("<script") && !mail.html.contains("pat'"), "{}", mail.html);
    assert!(mail.html.contains("localhost:3000") && !mail.html.contains("src="));
    assert!(!format!("{mail:?}").contains("token="));
}

/// S54: colours were checked when the theme was made; a logo would be fetched, so there is none.
async fn s54_the_mail_wears_the_theme(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let theme = Theme::new().brand_color("#0a7c66").button_text("#fefefe").logo("https://img.example/l.png");
    let auth = builder.theme(theme).build().unwrap();
    ask(&mut browser(&auth), "pat@example.com").await;
    let html = mailbox.take().remove(0).html;
    assert!(html.contains("background:#0a7c66;color:#fefefe") && !html.contains("img.example"), "{html}");
}

async fn a_provider_may_have_a_secret_of_its_own(store: Arc<dyn Store>) {
    const OWN: &str = "Qm7Ls2Zx9Vb4Nc8Kd1Fg6Hj3Wp5Ty0Ru";
    let (_, builder, mailbox) = mailing_with(&store, |email| email.secret(Secret::new(OWN)));
    let auth = builder.build().unwrap();
    ask(&mut browser(&auth), "pat@example.com").await;
    let link = link(&mailbox.take()[0]);
    let token = link.split("token=").nth(1).unwrap().split('&').next().unwrap();
    let hash = |secret: &str| -> String {
        Sha256::digest(format!("{token}{secret}")).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert!(store.use_verification_token("pat@example.com", &hash(SECRET)).await.unwrap().is_none());
    let row = store.use_verification_token("pat@example.com", &hash(OWN)).await.unwrap().unwrap();
    store.create_verification_token(&row).await.unwrap();
    // A rotation of it breaks no link.
    let rotated = Secret::new("0Zb5Xk1Wq8Rt3Yp6Lm2Nv7Cd4Fj9Hs0G").or_previous(OWN);
    let auth = mailing_with(&store, |email| email.secret(rotated)).1.build().unwrap();
    let mut there = browser(&auth);
    there.get(&link).await;
    assert_ne!(there.who().await, "nobody");
    let weak = mailing_with(&store, |email| email.secret(Secret::new("weak"))).1.build();
    assert!(weak.unwrap_err().to_string().contains("a secret of its own"));
}

async fn addresses_may_be_judged_otherwise(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing_with(&store, |email| {
        email.normalize_identifier(async |typed| match typed.as_str() {
            "broken" => Err("no answer".into()),
            "panic" => panic!("it panics"),
            typed => Ok(EmailAddress::parse(&format!("{typed}@app.example"))),
        })
    });
    let auth = builder.build().unwrap();
    let mut browser = browser(&auth);
    for (typed, sent) in [("Pat", true), ("a,b", false), ("a@b", false), ("broken", false), ("panic", false)]
    {
        let answer = ask(&mut browser, typed).await;
        assert_eq!(goes_to(&answer).contains("/verify-request?"), sent, "{typed}");
    }
    let mails = mailbox.take();
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["pat@app.example"]);
    browser.get(&link(&mails[0])).await;
    assert_eq!(browser.session().await["user"]["email"], "pat@app.example");
}

async fn links_grow_old(store: Arc<dyn Store>) {
    let (clock, builder, mailbox) = mailing_with(&store, |email| email.max_age(Duration::from_secs(600)));
    let auth = builder.build().unwrap();
    let mut browser = browser(&auth);
    for (age, good) in [(599, true), (600, false)] {
        ask(&mut browser, "pat@example.com").await;
        clock.advance(Duration::from_secs(age));
        let answer = browser.get(&link(&mailbox.take()[0])).await;
        assert_eq!(!goes_to(&answer).contains("error=Verification"), good);
    }
}

async fn the_callback_is_asked_twice(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let asked = Arc::new(Mutex::new(vec![]));
    let notes = Arc::clone(&asked);
    let auth = builder.on_sign_in(move |context| {
        notes.lock().unwrap().push(context.verification_request);
        let refused = context.account.provider_account_id.starts_with("refused");
        async move { Ok(if refused { SignInDecision::Deny } else { SignInDecision::Allow }) }
    });
    let auth = auth.build().unwrap();
    let mut browser = browser(&auth);
    let answer = ask(&mut browser, "refused@example.com").await;
    assert!(goes_to(&answer).ends_with("error?error=AccessDenied"));
    assert!(mailbox.take().is_empty());
    ask(&mut browser, "pat@example.com").await;
    browser.get(&link(&mailbox.take()[0])).await;
    assert_eq!(*asked.lock().unwrap(), [true, true, false]);
}

async fn addresses_are_refused_in_the_words_of_the_dialect(store: Arc<dyn Store>) {
    for (dialect, none, no_token) in [
        (Dialect::V3, "/error?error=EmailSignin", "/error?error=Verification"),
        (Dialect::V4, "/error?error=EmailSignin", "/error?error=configuration"),
        (Dialect::V5, "/error?error=Configuration", "/error?error=Configuration"),
    ] {
        let (_, builder, mailbox) = mailing(&store);
        let auth = builder.dialect(dialect).build().unwrap();
        let mut browser = browser(&auth);
        for address in ["", "nonsense", "a@b.c\r\nBcc: d@e.f", "a,b@c.d"] {
            let answer = ask(&mut browser, address).await;
            assert!(goes_to(&answer).ends_with(none), "{dialect}: {}", goes_to(&answer));
        }
        assert!(mailbox.take().is_empty());
        let answer = browser.get("/api/auth/callback/email?email=a%40b.c").await;
        assert!(goes_to(&answer).ends_with(no_token), "{dialect}: {}", goes_to(&answer));
        let listed = browser.get("/api/auth/providers").await.json();
        assert_eq!(listed["email"]["type"], json!("email"));
    }
}

async fn new_users_are_led_to_their_page(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let auth: Auth = builder.pages(Pages::new().new_user("/welcome")).build().unwrap();
    let mut browser = browser(&auth);
    for to in ["/welcome?callbackUrl=http%3A%2F%2Flocalhost%3A3000", "http://localhost:3000"] {
        ask(&mut browser, "pat@example.com").await;
        let answer = browser.get(&link(&mailbox.take()[0])).await;
        assert_eq!(goes_to(&answer), to);
    }
}
