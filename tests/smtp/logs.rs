//! What is written down of mail on its way to a server: row S81 of `docs/security.md`.

use portcullis::mail::{EmailAddress, Mail, Mailer, SmtpMailer};
use tracing::Level;

use crate::{
    server::{Manner, Server},
    support::log::Log,
};

/// S81: neither the password of the server nor what is in the mail, whether it is taken or not.
#[tokio::test]
async fn s81_nothing_of_a_mail_is_logged() {
    let (log, _guard) = Log::of(Level::TRACE);
    for (password, refuses_recipients) in
        [("canary-password", false), ("canary-password", true), ("canary-wrong", false)]
    {
        let login = Some(("canary-user", "canary-password"));
        let server = Server::start(Manner { login, refuses_recipients, ..Manner::default() }).await;
        let url = format!("smtp://canary-user:{password}@127.0.0.1:{}", server.port);
        let mailer = SmtpMailer::new(&url, "App <no-reply@app.example>").unwrap();
        let to = EmailAddress::parse("canary-address@example.com").unwrap();
        let mail = Mail::new(to, "Sign in", "canary-token", "<p>canary-token</p>");
        log.debug(&(&mailer, &mail));
        let sent = mailer.send(mail).await;
        assert_eq!(sent.is_ok(), password == "canary-password" && !refuses_recipients, "{sent:?}");
        log.debug(&sent);
        if let Err(error) = sent {
            tracing::error!(%error, "no mail was sent");
        }
    }
    log.debug(&SmtpMailer::new("canary://canary:canary-password@canary", "App <no-reply@app.example>"));
    log.debug(&SmtpMailer::new("smtp://canary:canary-password@localhost", "canary"));
    let text = log.text();
    assert!(text.contains("no mail was sent") && text.contains("SmtpMailer"), "nothing was captured: {text}");
    assert!(!text.contains("canary"), "{text}");
}
