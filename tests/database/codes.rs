//! Codes by mail: row S58 of `docs/security.md`, on each store.

use std::{sync::Arc, time::Duration};

use http::Method;
use portcullis::{Auth, Pages, mail::Mail, store::Store};
use sha2::{Digest, Sha256};

use crate::{
    mail::{ask, goes_to, link, mailing_with},
    site::browser,
    stores::on_each_store,
    support::{Answer, Browser, SECRET},
};

on_each_store![
    a_code_signs_in_where_it_was_asked_for,
    s48_a_link_or_its_code_signs_in_once,
    s49_what_counts_opens_nothing,
    s58_ten_wrong_codes_kill_the_code,
    s58_parallel_guesses_are_counted_exactly,
    s58_a_code_is_good_for_ten_minutes,
    s58_a_code_is_nothing_without_its_browser,
    a_page_of_ones_own_can_ask_for_the_code,
];

/// The code in a mail.
pub fn code(mail: &Mail) -> String {
    mail.text.split_whitespace().next_back().unwrap().to_owned()
}

/// Another one.
pub fn wrong(code: &str) -> String {
    format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000)
}

pub async fn type_code(browser: &mut Browser, code: &str) -> Answer {
    let token = browser.csrf_token().await;
    browser.post("/api/auth/callback/email", &[("csrfToken", &*token), ("code", code)]).await
}

fn may_try_again(answer: &Answer) -> bool {
    goes_to(answer).contains("/verify-request?") && goes_to(answer).ends_with("error=Verification")
}

fn is_dead(answer: &Answer) -> bool {
    goes_to(answer).ends_with("/error?error=Verification")
}

/// Two instances with one store.
fn instances(store: &Arc<dyn Store>) -> ([Auth; 2], portcullis::mail::Mailbox) {
    let (_, builder, mailbox) = mailing_with(store, |email| email.code(true));
    let (_, other, _) = mailing_with(store, |email| email.code(true));
    ([builder.build().unwrap(), other.build().unwrap()], mailbox)
}

async fn a_code_signs_in_where_it_was_asked_for(store: Arc<dyn Store>) {
    let ([auth, _], mailbox) = instances(&store);
    let mut here = browser(&auth);
    let answer = ask(&mut here, "pat@example.com").await;
    let page = here.get(&goes_to(&answer)).await.text();
    assert!(page.contains("name=\"code\"") && page.contains("autocomplete=\"one-time-code\""), "{page}");
    let mail = mailbox.take().remove(0);
    let code = code(&mail);
    assert_eq!(code.len(), 8);
    assert!(mail.html.contains(&code) && !page.contains(&code));
    let answer = type_code(&mut here, &wrong(&code)).await;
    assert!(may_try_again(&answer), "{}", goes_to(&answer));
    assert!(here.get(&goes_to(&answer)).await.text().contains("role=\"alert\""));
    // As people write it.
    let answer = type_code(&mut here, &format!(" {} {}-{}", &code[..4], &code[4..6], &code[6..])).await;
    assert_eq!(goes_to(&answer), "http://localhost:3000");
    assert_eq!(here.session().await["user"]["email"], "pat@example.com");
    assert!(!here.jar.keys().any(|name| name.ends_with(".email")), "what was asked for is done");
}

/// S48, S58: whichever comes first uses up the other.
async fn s48_a_link_or_its_code_signs_in_once(store: Arc<dyn Store>) {
    let ([auth, _], mailbox) = instances(&store);
    let mut here = browser(&auth);
    let mut there = browser(&auth);
    ask(&mut here, "pat@example.com").await;
    let mail = mailbox.take().remove(0);
    type_code(&mut here, &code(&mail)).await;
    assert_ne!(here.who().await, "nobody");
    assert!(is_dead(&there.get(&link(&mail)).await));
    let mut here = browser(&auth);
    ask(&mut here, "pat@example.com").await;
    let mail = mailbox.take().remove(0);
    there.get(&link(&mail)).await;
    assert_ne!(there.who().await, "nobody");
    assert!(is_dead(&type_code(&mut here, &code(&mail)).await));
    assert_eq!(here.who().await, "nobody");
    // At once.
    let mut here = browser(&auth);
    ask(&mut here, "pat@example.com").await;
    let (mail, mut there) = (mailbox.take().remove(0), browser(&auth));
    let (link, code) = (link(&mail), code(&mail));
    tokio::join!(there.get(&link), type_code(&mut here, &code));
    assert!((here.who().await == "nobody") != (there.who().await == "nobody"));
}

/// S49: rows of another purpose are none of a link's, also for who knows what they hold.
async fn s49_what_counts_opens_nothing(store: Arc<dyn Store>) {
    let ([auth, _], mailbox) = instances(&store);
    let mut here = browser(&auth);
    ask(&mut here, "pat@example.com").await;
    let mail = mailbox.take().remove(0);
    type_code(&mut here, &wrong(&code(&mail))).await;
    let link = link(&mail);
    let token = link.split("token=").nth(1).unwrap().split('&').next().unwrap();
    let hash: String =
        Sha256::digest(format!("{token}{SECRET}")).iter().map(|byte| format!("{byte:02x}")).collect();
    for token in [format!("{hash}.1"), token.to_owned()] {
        let answer = here.get(&format!("/api/auth/callback/email?token={token}&email=email-code")).await;
        assert!(is_dead(&answer), "{}", goes_to(&answer));
    }
    assert_eq!(here.who().await, "nobody");
    let attempt = store.use_verification_token("email-code", &format!("{hash}.1")).await.unwrap();
    assert!(attempt.is_some(), "and the attempt is still counted");
}

async fn s58_ten_wrong_codes_kill_the_code(store: Arc<dyn Store>) {
    let ([one, other], mailbox) = instances(&store);
    for (wrong_ones, good) in [(9, true), (10, false)] {
        let mut browsers = [browser(&one), browser(&other)];
        ask(&mut browsers[0], "pat@example.com").await;
        let jar = browsers[0].jar.clone();
        let mail = mailbox.take().remove(0);
        for guess in 1..=wrong_ones {
            // From one instance to the other, and always with the cookies of the beginning.
            let browser = &mut browsers[guess % 2];
            browser.jar.clone_from(&jar);
            let answer = type_code(browser, &wrong(&code(&mail))).await;
            assert_eq!((may_try_again(&answer), is_dead(&answer)), (guess < 10, guess == 10), "{guess}");
        }
        browsers[0].jar = jar;
        let answer = type_code(&mut browsers[0], &code(&mail)).await;
        assert_eq!(browsers[0].who().await != "nobody", good, "{}", goes_to(&answer));
        if !good {
            // It is the code that is dead.
            browsers[1].get(&link(&mail)).await;
            assert_ne!(browsers[1].who().await, "nobody");
        }
    }
}

async fn s58_parallel_guesses_are_counted_exactly(store: Arc<dyn Store>) {
    let (auths, mailbox) = instances(&store);
    let mut here = browser(&auths[0]);
    ask(&mut here, "pat@example.com").await;
    here.csrf_token().await;
    let code = code(&mailbox.take()[0]);
    let mut guesses = tokio::task::JoinSet::new();
    for number in 0..50 {
        let mut browser = browser(&auths[number % 2]);
        browser.jar = here.jar.clone();
        let wrong = wrong(&code);
        guesses.spawn(async move { type_code(&mut browser, &wrong).await });
    }
    let (mut more, mut dead) = (0, 0);
    while let Some(answer) = guesses.join_next().await {
        let answer = answer.unwrap();
        more += usize::from(may_try_again(&answer));
        dead += usize::from(is_dead(&answer));
    }
    assert_eq!((more, dead), (9, 41), "the tenth kills it");
    assert!(is_dead(&type_code(&mut here, &code).await));
    assert_eq!(here.who().await, "nobody");
}

async fn s58_a_code_is_good_for_ten_minutes(store: Arc<dyn Store>) {
    for (age, good) in [(599, true), (600, false)] {
        let (clock, builder, mailbox) = mailing_with(&store, |email| email.code(true));
        let auth = builder.build().unwrap();
        let mut here = browser(&auth);
        let page = goes_to(&ask(&mut here, "pat@example.com").await);
        clock.advance(Duration::from_secs(age));
        assert_eq!(here.get(&page).await.text().contains("name=\"code\""), good);
        type_code(&mut here, &code(&mailbox.take()[0])).await;
        assert_eq!(here.who().await != "nobody", good, "after {age} s");
    }
}

/// S57, S58: who has not asked cannot guess, whatever they know; and no other site can guess for them.
async fn s58_a_code_is_nothing_without_its_browser(store: Arc<dyn Store>) {
    let ([auth, _], mailbox) = instances(&store);
    let mut here = browser(&auth);
    ask(&mut here, "pat@example.com").await;
    let code = code(&mailbox.take()[0]);
    let mut there = browser(&auth);
    assert!(is_dead(&type_code(&mut there, &code).await));
    // The cookie of another site, which has another secret; and one that was changed.
    let (name, sealed) = here.jar.iter().find(|(name, _)| name.ends_with(".email")).unwrap();
    for forged in ["x".to_owned(), sealed[..sealed.len() - 2].to_owned(), format!("{sealed}.")] {
        let mut browser = browser(&auth).with_cookie(name, &forged);
        assert!(is_dead(&type_code(&mut browser, &code).await));
    }
    assert!(!sealed.contains(&code));
    let token = here.csrf_token().await;
    let answer = here.post("/api/auth/callback/email", &[("code", &*code)]).await;
    assert!(goes_to(&answer).ends_with("/signin?csrf=true"), "{}", goes_to(&answer));
    let mut foreign = here.clone().with_header("origin", "https://evil.example");
    let fields = [("csrfToken", &*token), ("code", &*code)];
    assert_eq!(foreign.post("/api/auth/callback/email", &fields).await.status, 403);
    assert_eq!(here.who().await, "nobody");
    type_code(&mut here, &code).await;
    assert_ne!(here.who().await, "nobody", "nothing of that was a guess");
    // Where there are no codes, nothing is posted.
    let (_, builder, mailbox) = mailing_with(&store, |email| email);
    let mut browser = browser(&builder.build().unwrap());
    ask(&mut browser, "pat@example.com").await;
    let answer = type_code(&mut browser, "12345678").await;
    assert_eq!((answer.status.as_u16(), mailbox.take().len()), (400, 1));
    assert_eq!(browser.send(Method::HEAD, "/api/auth/callback/email", None, "".into()).await.status, 400);
}

async fn a_page_of_ones_own_can_ask_for_the_code(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing_with(&store, |email| email.code(true));
    let auth = builder.pages(Pages::new().verify_request("/look?x=1")).build().unwrap();
    let mut here = browser(&auth);
    ask(&mut here, "pat@example.com").await;
    let code = code(&mailbox.take()[0]);
    let answer = type_code(&mut here, &wrong(&code)).await;
    assert_eq!(goes_to(&answer), "http://localhost:3000/look?x=1&error=Verification");
    type_code(&mut here, &code).await;
    assert_ne!(here.who().await, "nobody");
}
