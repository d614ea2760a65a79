//! What a visitor or a template says stays where it was put (S53).

use std::{
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use portcullis::{
    Auth, Clock, Email, OriginPolicy,
    mail::{EmailAddress, Mail, Mailer, SmtpMailer},
    store::MemoryStore,
};

use crate::{
    server::{Conversation, Manner, Server},
    support::{Browser, ManualClock, NOW, builder, whoami},
};

/// What ends a header, a message, or a command.
const EVIL: &str = "x\r\nBcc: <evil@evil.example>\r\n\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n.\rquit\n.\n";

fn mailer(server: &Server) -> SmtpMailer {
    SmtpMailer::new(&format!("smtp://127.0.0.1:{}", server.port), "App <no-reply@app.example>").unwrap()
}

/// One conversation with one message to `to`, and nothing beside it.
fn only_message(server: &Server, to: &str) -> String {
    let [Conversation { commands, messages, .. }] = &server.heard()[..] else { panic!("not one connection") };
    let commands: Vec<_> =
        commands.iter().filter(|line| !line.starts_with("EHLO") && *line != "QUIT").collect();
    let (first, rest) = commands.split_first().unwrap();
    assert!(first.starts_with("MAIL FROM:<no-reply@app.example>"), "{first}");
    assert_eq!(rest, [&format!("RCPT TO:<{to}>"), "DATA"]);
    assert_eq!(messages.len(), 1);
    let (headers, _) = messages[0].split_once("\r\n\r\n").unwrap();
    let mut names: Vec<_> = headers
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap().to_ascii_lowercase())
        .collect();
    names.sort();
    assert_eq!(names, ["content-type", "date", "from", "mime-version", "subject", "to"], "{headers}");
    messages[0].clone()
}

#[tokio::test]
async fn s53_subjects_and_bodies() {
    let server = Server::start(Manner::default()).await;
    let to = EmailAddress::parse("o'pat+x=y&z@example.com").unwrap();
    let mail = Mail::new(to, EVIL, format!("{EVIL}\n.\r\nend of text"), format!("<p>{EVIL}</p>\r\n.\r\nend"));
    mailer(&server).send(mail).await.unwrap();
    let message = only_message(&server, "o'pat+x=y&z@example.com");
    assert!(message.contains("end of text"), "a dot has not ended it: {message}");
}

/// Members are public: whoever sets the subject there has not come through `Mail::new`.
#[tokio::test]
async fn s53_a_subject_that_was_set_later() {
    let server = Server::start(Manner::default()).await;
    let mut mail = Mail::new(EmailAddress::parse("pat@example.com").unwrap(), "", "text", "html");
    mail.subject = EVIL.to_owned();
    mailer(&server).send(mail).await.unwrap();
    only_message(&server, "pat@example.com");
}

/// Through the endpoint: the address, the callback URL and the host.
#[tokio::test]
async fn s53_what_a_visitor_says() {
    let server = Server::start(Manner::default()).await;
    let clock = ManualClock::at(NOW);
    let auth: Auth = builder(&clock)
        .origin(OriginPolicy::dangerous_trust_host())
        .store(MemoryStore::new())
        .provider(Email::new(mailer(&server)))
        .clock(Waiting)
        .build()
        .unwrap();
    let mut browser = Browser::new(whoami(auth)).with_header("x-forwarded-proto", "http");
    for host in ["app.example", "app.example:80.", "a.b\t.\tc"] {
        browser = browser.with_header("host", host);
        let csrf = browser.get("/api/auth/csrf").await;
        if csrf.status != 200 {
            continue; // No host at all.
        }
        let token = csrf.json()["csrfToken"].as_str().unwrap().to_owned();
        let mut ask = async |address: &str, to: &str| {
            let fields = [("csrfToken", &*token), ("email", address), ("callbackUrl", to)];
            browser.post("/api/auth/signin/email", &fields).await
        };
        ask(&format!("pat@example.com{EVIL}"), "/").await;
        ask("pat@example.com\r\nRCPT TO:<evil@evil.example>", "/").await;
        assert!(server.heard().is_empty(), "no such address");
        ask("pat@example.com", &format!("/{EVIL}")).await;
        let message = only_message(&server, "pat@example.com");
        assert!(!message.contains("evil@evil.example"), "{message}");
        return;
    }
    panic!("nothing was sent");
}

/// Real time, for a real server.
#[derive(Debug)]
struct Waiting;

impl Clock for Waiting {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW as u64)
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(time))
    }
}
