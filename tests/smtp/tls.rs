//! Nothing is said to a server that is not the one that was meant, or that others can read along.

use std::time::Duration;

use portcullis::mail::{EmailAddress, Mail, Mailer, SmtpMailer};

use crate::{
    server::{Manner, Server, Tls},
    trust,
};

const FROM: &str = "App <no-reply@app.example>";
/// A name that leads here, and for which mail does not go in the clear: its certificate, and another one.
const HOST: &str = "0.0.0.0";
const GOOD: &str = "test-mail.certificate.pem";
const OF_ANOTHER: &str = "test-tls.certificate.pem";

fn mail() -> Mail {
    Mail::new(EmailAddress::parse("pat@example.com").unwrap(), "Sign in", "a text", "<p>a text</p>")
}

async fn send(server: &Server, scheme: &str, host: &str) -> Result<(), String> {
    let mailer = SmtpMailer::new(&format!("{scheme}://{host}:{}", server.port), FROM).unwrap();
    mailer.send(mail()).await.map_err(|error| error.to_string())
}

fn said(server: &Server) -> Vec<String> {
    let commands = server.heard().into_iter().flat_map(|conversation| conversation.commands);
    commands.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn s55_mail_is_sent_over_tls() {
    if !trust::is_given("tls::s55_mail_is_sent_over_tls") {
        return;
    }
    for (scheme, tls) in [("smtp", Tls::Offered), ("smtps", Tls::FromTheStart)] {
        let server = Server::start(Manner { tls, certificate: GOOD, ..Manner::default() }).await;
        send(&server, scheme, HOST).await.unwrap();
        let heard = server.heard().remove(0);
        assert!(heard.encrypted && heard.messages.len() == 1, "{heard:?}");
        assert!(heard.commands.iter().any(|line| line == "RCPT TO:<pat@example.com>"), "{heard:?}");
    }
}

/// The certificate is trusted, and for somebody else.
#[tokio::test]
async fn s55_a_certificate_for_another_host_is_refused() {
    if !trust::is_given("tls::s55_a_certificate_for_another_host_is_refused") {
        return;
    }
    for (scheme, tls) in [("smtp", Tls::Offered), ("smtps", Tls::FromTheStart)] {
        let server = Server::start(Manner { tls, certificate: OF_ANOTHER, ..Manner::default() }).await;
        let error = send(&server, scheme, HOST).await.unwrap_err();
        assert!(!server.heard()[0].encrypted, "{error}");
        assert!(!said(&server).contains(&"MAIL".to_owned()));
        // It is good for the host that it names: TLS from the start is that to this machine, too.
        if scheme == "smtps" {
            send(&server, scheme, "localhost").await.unwrap();
        }
    }
}

#[tokio::test]
async fn s55_a_certificate_of_nobody_known_is_refused() {
    let server = Manner { tls: Tls::FromTheStart, certificate: GOOD, ..Manner::default() };
    let server = Server::start(server).await;
    // Not trusted in this process.
    assert!(send(&server, "smtps", HOST).await.is_err());
    assert!(server.messages().is_empty());
}

#[tokio::test]
async fn s55_without_tls_nothing_is_sent() {
    let server = Server::start(Manner::default()).await;
    let error = send(&server, "smtp", HOST).await.unwrap_err();
    assert!(!said(&server).iter().any(|word| word == "AUTH" || word == "MAIL"), "{error}");
    // Nobody reads along on this machine.
    send(&server, "smtp", "127.0.0.1").await.unwrap();
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn logins_are_sent_over_tls_and_refusals_are_errors() {
    if !trust::is_given("tls::logins_are_sent_over_tls_and_refusals_are_errors") {
        return;
    }
    let login = Some(("us:er", "p@ss/word"));
    let manner = Manner { tls: Tls::Offered, certificate: GOOD, login, ..Manner::default() };
    let server = Server::start(manner.clone()).await;
    send(&server, "smtp", "us%3Aer:p%40ss%2Fword@0.0.0.0").await.unwrap();
    assert_eq!(server.messages().len(), 1);
    let error = send(&server, "smtp", "us%3Aer:wrong@0.0.0.0").await.unwrap_err();
    assert!(!error.contains("wrong"), "{error}");
    assert_eq!(server.messages().len(), 1);
    let server = Server::start(Manner { refuses_recipients: true, login: None, ..manner }).await;
    assert!(send(&server, "smtp", HOST).await.is_err());
}

#[tokio::test]
async fn a_connection_that_is_refused_is_an_error() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mailer = SmtpMailer::new(&format!("smtp://127.0.0.1:{port}"), FROM).unwrap();
    assert!(mailer.send(mail()).await.is_err());
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    for word in ["EHLO", "MAIL", "DATA", "QUIT"] {
        let server = Server::start(Manner { silent_after: Some(word), ..Manner::default() }).await;
        let mailer = SmtpMailer::new(&format!("smtp://127.0.0.1:{}", server.port), FROM).unwrap();
        let first = tokio::spawn({
            let mailer = mailer.clone();
            async move { mailer.send(mail()).await }
        });
        while said(&server).last().is_none_or(|last| last != word) {
            tokio::task::yield_now().await;
        }
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(21)).await;
        tokio::time::resume();
        // What is said after the mail was taken changes nothing.
        assert_eq!(first.await.unwrap().is_err(), word != "QUIT", "{word}");
        // The next mail is none of that conversation's business.
        let mut next = mail();
        next.subject = "another".to_owned();
        mailer.send(next).await.unwrap();
        let heard = server.heard();
        assert!(!format!("{:?}", heard[0]).contains("another"), "{word}: {heard:?}");
        assert_eq!(heard[1].messages.len(), 1, "{word}: {heard:?}");
    }
}

#[test]
fn a_mailer_needs_a_runtime_and_a_server() {
    let error = SmtpMailer::new("smtp://127.0.0.1:25", FROM).unwrap_err();
    assert!(error.to_string().contains("Tokio"), "{error}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _inside = runtime.enter();
    for (url, from) in [
        ("http://mail.example", FROM),
        ("mail.example", FROM),
        ("smtp://", FROM),
        ("smtp://mail.example", "nobody"),
        ("smtp://mail.example", "App <a@b.example>\r\nBcc: <c@d.example>"),
    ] {
        assert!(SmtpMailer::new(url, from).is_err(), "{url} {from:?}");
    }
}
