//! How many mails may be asked for: row S50 of `docs/security.md`, on each store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis::{
    Auth, BoxError, Email, OriginPolicy, PeerAddr,
    mail::{Mail, Mailbox, Mailer},
    store::{MemoryStore, Store},
};
use tower::{ServiceExt, util::BoxCloneSyncService};
use tracing::Level;

use crate::{
    mail::{ask, goes_to, link, mailing_with},
    site::{HOUR, browser, site, whoami},
    stores::on_each_store,
    support::{Browser, ORIGIN, log::Log},
};

on_each_store![
    s50_twenty_requests_leave_five_links,
    s50_no_hour_has_more_than_five,
    s50_the_answer_does_not_say_that_no_mail_was_sent,
    s50_a_mail_that_was_refused_does_not_count,
    a_source_may_ask_for_so_many,
];

/// S50: counted for all instances, also when they are asked at once.
async fn s50_twenty_requests_leave_five_links(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing_with(&store, |email| email);
    let (_, other, other_mailbox) = mailing_with(&store, |email| email);
    let auths = [builder.build().unwrap(), other.build().unwrap()];
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..20 {
        let mut browser = browser(&auths[number % 2]);
        let address = if number % 4 < 2 { "pat@example.com" } else { "PAT@example.com " };
        requests.spawn(async move { goes_to(&ask(&mut browser, address).await) });
    }
    while let Some(to) = requests.join_next().await {
        assert!(to.unwrap().ends_with("/verify-request?provider=email&type=email"));
    }
    let mails = [mailbox.take(), other_mailbox.take()].concat();
    assert_eq!(mails.len(), 5);
    for mail in &mails {
        let mut browser = browser(&auths[0]);
        browser.get(&link(mail)).await;
        assert_ne!(browser.who().await, "nobody");
    }
    ask(&mut browser(&auths[0]), "other@example.com").await;
    assert_eq!(mailbox.take().len(), 1, "others are not held up");
}

/// The tests begin at noon: where one piece of time ends and the next begins is where a count could begin anew.
async fn s50_no_hour_has_more_than_five(store: Arc<dyn Store>) {
    let (clock, builder, mailbox) = mailing_with(&store, |email| email.limit(5, HOUR));
    let auth = builder.build().unwrap();
    let mut here = browser(&auth);
    let minute = Duration::from_secs(60);
    for (later, sent) in [(59 * minute, 5), (2 * minute, 0), (57 * minute, 0), (2 * minute, 5)] {
        clock.advance(later);
        for _ in 0..7 {
            ask(&mut here, "pat@example.com").await;
        }
        assert_eq!(mailbox.take().len(), sent, "{later:?} later");
    }
    let none = mailing_with(&store, |email| email.limit(101, HOUR)).1.build();
    assert!(none.unwrap_err().to_string().contains("cannot be counted"));
    let (_, builder, mailbox) = mailing_with(&store, |email| email.limit(0, HOUR));
    let auth = builder.build().unwrap();
    for _ in 0..7 {
        ask(&mut browser(&auth), "pat@example.com").await;
    }
    assert_eq!(mailbox.take().len(), 7, "without a limit");
}

/// S50, S59: whoever asks learns nothing of what others have asked for, and their own code stays good.
async fn s50_the_answer_does_not_say_that_no_mail_was_sent(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing_with(&store, |email| email.code(true).limit(2, HOUR));
    let auth = builder.build().unwrap();
    let mut here = browser(&auth);
    let mut answers = Vec::new();
    for _ in 0..4 {
        let answer = ask(&mut here, "pat@example.com").await;
        let cookies = answer.cookies();
        let cookies: Vec<_> =
            cookies.iter().map(|cookie| (cookie.name().to_owned(), cookie.value().len())).collect();
        answers.push((answer.status, answer.text(), cookies));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let mut there = browser(&auth);
    let answer = ask(&mut there, "pat@example.com").await;
    assert!(answer.cookies().iter().any(|cookie| cookie.name().ends_with(".email")));
    let mails = mailbox.take();
    assert_eq!(mails.len(), 2);
    let code = mails[1].text.split_whitespace().next_back().unwrap().to_owned();
    let token = here.csrf_token().await;
    here.post("/api/auth/callback/email", &[("csrfToken", &*token), ("code", &*code)]).await;
    assert_ne!(here.who().await, "nobody");
}

/// Refuses until it is told otherwise.
#[derive(Debug, Clone, Default)]
struct Broken {
    works: Arc<AtomicBool>,
    mailbox: Mailbox,
}

#[async_trait::async_trait]
impl Mailer for Broken {
    async fn send(&self, mail: Mail) -> Result<(), BoxError> {
        match self.works.load(Ordering::SeqCst) {
            true => self.mailbox.send(mail).await,
            false => Err("no mail today".into()),
        }
    }
}

async fn s50_a_mail_that_was_refused_does_not_count(store: Arc<dyn Store>) {
    let mailer = Broken::default();
    let auth = site(&store).1.provider(Email::new(mailer.clone())).build().unwrap();
    let mut browser = browser(&auth);
    for _ in 0..7 {
        assert!(goes_to(&ask(&mut browser, "pat@example.com").await).ends_with("error?error=EmailSignin"));
    }
    mailer.works.store(true, Ordering::SeqCst);
    for _ in 0..7 {
        ask(&mut browser, "pat@example.com").await;
    }
    assert_eq!(mailer.mailbox.take().len(), 5);
}

async fn a_source_may_ask_for_so_many(store: Arc<dyn Store>) {
    let (clock, builder, mailbox) = mailing_with(&store, |email| {
        let source = email.limit_source(3, HOUR);
        source.source(|headers, _| headers.get("x-real-ip")?.to_str().ok()?.parse().ok())
    });
    let auth = builder.build().unwrap();
    let mut asked = 0;
    let mut sent = async |source: &str| {
        let mut browser = browser(&auth).with_header("x-real-ip", source);
        let mut refused = 0;
        for _ in 0..5 {
            asked += 1;
            let answer = ask(&mut browser, &format!("pat{asked}@example.com")).await;
            refused += usize::from(answer.status == 429 && goes_to(&answer).contains("error=EmailSignin"));
        }
        (mailbox.take().len(), refused)
    };
    assert_eq!(sent("203.0.113.7").await, (3, 2));
    assert_eq!(sent("203.0.113.8").await, (3, 2));
    assert_eq!(sent("nobody knows").await, (5, 0));
    clock.advance(HOUR);
    assert_eq!(sent("203.0.113.7").await, (3, 2));
}

/// A browser whose requests come from this address, as the server says.
fn from(auth: &Auth, peer: [u8; 4]) -> Browser {
    Browser::new(BoxCloneSyncService::new(whoami(auth.clone()).map_request(
        move |mut request: http::Request<_>| {
            request.extensions_mut().insert(PeerAddr(peer.into()));
            request
        },
    )))
}

/// S61: without anything else, a source is the peer, or whom a proxy names that is ours.
#[tokio::test]
async fn s61_a_peer_is_a_source_and_so_is_whoever_a_proxy_names() {
    const PROXY: [u8; 4] = [10, 0, 0, 1];
    let fixed = || OriginPolicy::fixed(ORIGIN).unwrap();
    let named = [PROXY.into()];
    for (case, policy, sent_by_proxy) in [
        ("a proxy that nobody has named", fixed(), [3, 0]),
        ("a proxy", fixed().behind(named), [3, 3]),
        ("a proxy of a list", OriginPolicy::allow_list([ORIGIN]).unwrap().behind(named), [3, 3]),
    ] {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (_, builder, mailbox) = mailing_with(&store, |email| email.limit_source(3, HOUR));
        let auth = builder.origin(policy).build().unwrap();
        let mut asked = 0;
        let mut sent = async |peer: [u8; 4], forwarded_for: &str| {
            let mut browser = from(&auth, peer)
                .with_header("host", "localhost:3000")
                .with_header("x-forwarded-for", forwarded_for);
            for _ in 0..5 {
                asked += 1;
                ask(&mut browser, &format!("pat{asked}@example.com")).await;
            }
            mailbox.take().len()
        };
        for (visitor, expected) in ["203.0.113.7", "203.0.113.8"].into_iter().zip(sent_by_proxy) {
            assert_eq!(sent(PROXY, visitor).await, expected, "{case}: {visitor}");
        }
        // What anybody else says is not believed.
        assert_eq!(sent([192, 0, 2, 1], "203.0.113.9").await, 3, "{case}");
        assert_eq!(sent([192, 0, 2, 1], "203.0.113.10").await, 0, "{case}");
    }
}

/// That there is no limit is said once, with what to do; where there is one, and where none is wanted, it is not.
#[tokio::test]
async fn a_source_that_is_not_known_is_told_of_once() {
    for (case, limit, knows, lines) in
        [("no peer", 3, false, 1), ("no limit", 0, false, 0), ("a peer", 3, true, 0)]
    {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (_, builder, mailbox) = mailing_with(&store, |email| email.limit_source(limit, HOUR));
        let auth = builder.build().unwrap();
        let report = auth.startup_report().to_string();
        assert_eq!(
            report.contains("if requests say where they come from (`PeerAddr`"),
            limit > 0,
            "{report}"
        );
        let (log, _guard) = Log::of(Level::WARN);
        for number in 0..5 {
            let mut browser = if knows { from(&auth, [192, 0, 2, 1]) } else { browser(&auth) };
            ask(&mut browser, &format!("pat{number}@example.com")).await;
        }
        assert_eq!(mailbox.take().len(), if knows { 3 } else { 5 }, "{case}");
        let text = log.text();
        let told = text.lines().filter(|line| line.contains("does not say where it comes from")).count();
        assert_eq!(told, lines, "{case}: {text}");
        assert!(lines == 0 || text.contains("PeerAddr") && text.contains("Email::source"), "{text}");
    }
}
