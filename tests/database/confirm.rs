//! Links that ask first, and links for one browser: rows S56 and S57 of `docs/security.md`, on each store.

use std::sync::Arc;

use http::Method;
use portcullis::{Email, Theme, store::Store};

use crate::{
    mail::{ask, goes_to, link, mailing_with},
    site::browser,
    stores::on_each_store,
    support::{Answer, Browser, ORIGIN},
};

on_each_store![
    s56_looking_uses_nothing_up,
    s56_the_page_keeps_its_link_to_itself,
    s56_the_button_is_pressed_on_our_page_only,
    s57_another_browser_is_told_who_will_be_signed_in,
    s57_a_link_for_one_browser_is_good_nowhere_else,
    s57_the_page_shows_addresses_only,
];

fn asking_first(email: Email) -> Email {
    email.confirm(true)
}

/// Presses the button.
async fn press(browser: &mut Browser, link: &str) -> Answer {
    let token = browser.csrf_token().await;
    browser.post(link, &[("csrfToken", &*token)]).await
}

/// S56, S102: a program that looks into mail, and then a human.
async fn s56_looking_uses_nothing_up(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing_with(&store, asking_first);
    let auth = builder.build().unwrap();
    let mut human = browser(&auth);
    ask(&mut human, "pat@example.com").await;
    let link = link(&mailbox.take()[0]);
    let mut scanner = browser(&auth);
    for method in [Method::HEAD, Method::GET, Method::GET] {
        let answer = scanner.send(method.clone(), &link, None, "".into()).await;
        assert_eq!((answer.status.as_u16(), answer.body.is_empty()), (200, method == Method::HEAD));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(scanner.who().await, "nobody");
    }
    assert!(human.get(&link).await.text().contains("<form method=\"POST\">"));
    let answer = press(&mut human, &link).await;
    assert_eq!((answer.status.as_u16(), &*goes_to(&answer)), (302, "http://localhost:3000"));
    assert_eq!(human.session().await["user"]["email"], "pat@example.com");
    // Once.
    let mut again = browser(&auth);
    assert_eq!(again.get(&link).await.status, 200, "the page does not say whether a link is good");
    assert!(goes_to(&press(&mut again, &link).await).ends_with("error?error=Verification"));
    assert_eq!(again.who().await, "nobody");
}

async fn s56_the_page_keeps_its_link_to_itself(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing_with(&store, asking_first);
    let auth = builder.theme(Theme::new().logo("https://img.example/logo.png")).build().unwrap();
    let mut here = browser(&auth);
    ask(&mut here, "pat@example.com").await;
    let link = link(&mailbox.take()[0]);
    let page = here.get(&link).await;
    // Path and query of the page are in no Referer, and its own form still says where it comes from.
    assert_eq!(page.header("referrer-policy"), Some("strict-origin"));
    assert!(page.header("cache-control").unwrap().contains("no-store"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let token = link.split("token=").nth(1).unwrap().split('&').next().unwrap();
    let text = page.text();
    assert!(!text.contains(token) && !text.contains("src=") && !text.contains("href="), "{text}");
    // What another page tells stays as it was.
    assert_eq!(here.get("/api/auth/signin").await.header("referrer-policy"), Some("same-origin"));
}

async fn s56_the_button_is_pressed_on_our_page_only(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing_with(&store, asking_first);
    let auth = builder.build().unwrap();
    let mut here = browser(&auth);
    ask(&mut here, "pat@example.com").await;
    let link = link(&mailbox.take()[0]);
    let token = here.csrf_token().await;
    for fields in [&[][..], &[("csrfToken", "0".repeat(64).as_str())][..]] {
        let answer = here.post(&link, fields).await;
        assert!(goes_to(&answer).ends_with("/signin?csrf=true"), "{}", goes_to(&answer));
    }
    for (header, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let mut foreign = here.clone().with_header(header, value);
        assert_eq!(foreign.post(&link, &[("csrfToken", &*token)]).await.status, 403);
    }
    assert_eq!(here.who().await, "nobody");
    // A browser that has no cookies yet: the page brings them.
    let mut there = browser(&auth);
    let page = there.get(&link).await.text();
    let token = page.split("name=\"csrfToken\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut there = there.with_header("origin", ORIGIN);
    there.post(&link, &[("csrfToken", token)]).await;
    assert_ne!(there.who().await, "nobody");
}

async fn s57_another_browser_is_told_who_will_be_signed_in(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing_with(&store, asking_first);
    let auth = builder.build().unwrap();
    let (mut attacker, mut victim) = (browser(&auth), browser(&auth));
    ask(&mut attacker, "attacker@example.com").await;
    ask(&mut victim, "victim@example.com").await;
    let mails = mailbox.take();
    let page = victim.get(&link(&mails[0])).await.text();
    assert!(page.contains("role=\"alert\"") && page.contains("attacker@example.com"), "{page}");
    assert!(page.contains("localhost:3000"));
    let page = victim.get(&link(&mails[1])).await.text();
    assert!(!page.contains("role=\"alert\"") && page.contains("victim@example.com"), "{page}");
    // A link that the attacker has asked for signs in whoever opens it, and not the attacker.
    ask(&mut attacker, "victim@example.com").await;
    press(&mut victim, &link(&mailbox.take()[0])).await;
    assert_eq!(victim.session().await["user"]["email"], "victim@example.com");
    assert_eq!(attacker.who().await, "nobody");
}

async fn s57_a_link_for_one_browser_is_good_nowhere_else(store: Arc<dyn Store>) {
    for confirm in [false, true] {
        let (_, builder, mailbox) = mailing_with(&store, |email| email.same_browser(true).confirm(confirm));
        let auth = builder.build().unwrap();
        let (mut here, mut there) = (browser(&auth), browser(&auth));
        ask(&mut there, "other@example.com").await;
        ask(&mut here, "pat@example.com").await;
        let link = link(&mailbox.take()[1]);
        let answer = there.get(&link).await;
        assert!(goes_to(&answer).ends_with("error?error=Verification"));
        if confirm {
            assert!(goes_to(&press(&mut there, &link).await).ends_with("error?error=Verification"));
        }
        assert_eq!(there.who().await, "nobody");
        if confirm {
            press(&mut here, &link).await;
        } else {
            here.get(&link).await;
        }
        assert_ne!(here.who().await, "nobody", "that has not used it up");
    }
}

async fn s57_the_page_shows_addresses_only(store: Arc<dyn Store>) {
    let (_, builder, _) = mailing_with(&store, asking_first);
    let mut browser = browser(&builder.build().unwrap());
    for made_up in ["", "Call+0800+1234+now", "%3Cscript%3E", "a%40b.c%0D%0Ax"] {
        let answer = browser.get(&format!("/api/auth/callback/email?token=x&email={made_up}")).await;
        assert!(goes_to(&answer).ends_with("error?error=Verification"), "{made_up}");
    }
    let answer = browser.get("/api/auth/callback/email?email=a%40b.c").await;
    assert!(goes_to(&answer).ends_with("error?error=configuration"));
}
