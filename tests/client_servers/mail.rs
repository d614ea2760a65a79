//! Links by mail, and where they arrive.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use portcullis::client::{SignIn, SignInOptions};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::visit::{Visit, address};

/// What has arrived, by recipient.
#[derive(Clone)]
pub struct Mailbox {
    links: Arc<watch::Sender<BTreeMap<String, String>>>,
    /// Where a server hands over what it mails.
    pub smtp_port: u16,
}

impl Mailbox {
    pub async fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let smtp_port = listener.local_addr().unwrap().port();
        let mailbox = Self { links: Arc::default(), smtp_port };
        let own = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().converse(stream));
            }
        });
        mailbox
    }

    pub fn put(&self, to: &str, link: &str) {
        self.links.send_modify(|links| drop(links.insert(to.to_owned(), link.to_owned())));
    }

    /// The link that was sent there last, once there is one.
    async fn link(&self, to: &str) -> String {
        let mut links = self.links.subscribe();
        let arrived = links.wait_for(|links| links.contains_key(to));
        timeout(Duration::from_secs(10), arrived).await.expect("a mail").unwrap()[to].clone()
    }

    /// RFC 5321, as far as it has to be.
    async fn converse(self, stream: TcpStream) -> Option<()> {
        let mut stream = BufStream::new(stream);
        let (mut answer, mut to) = ("220 mailbox", String::new());
        loop {
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
            let line = read_line(&mut stream).await?;
            answer = match &line.to_ascii_uppercase()[..4] {
                "RCPT" => {
                    to = line.split_once('<')?.1.split_once('>')?.0.to_owned();
                    "250 well"
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.ok()?;
                    stream.flush().await.ok()?;
                    let mut message = String::new();
                    loop {
                        match read_line(&mut stream).await?.as_str() {
                            "." => break,
                            line => message.push_str(&format!("{line}\r\n")),
                        }
                    }
                    self.put(&to, &first_link(&message));
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "250 well",
            };
        }
    }
}

async fn read_line(stream: &mut BufStream<TcpStream>) -> Option<String> {
    let mut line = String::new();
    (stream.read_line(&mut line).await.ok()? != 0).then(|| line.trim_end_matches("\r\n").to_owned())
}

/// The first link of a message, whose text may be quoted-printable (RFC 2045 section 6.7).
fn first_link(message: &str) -> String {
    let message = message.replace("=\r\n", "").replace("=3D", "=");
    let start = message.find("http://").unwrap_or_else(|| panic!("no link in {message}"));
    message[start..].split_whitespace().next().unwrap().to_owned()
}

pub async fn link(visit: Visit) {
    let (client, email) = (visit.client(), address());
    let options = || SignInOptions::new().field("email", &email);
    let outcome = client.sign_in("email", options(), &[]).await.unwrap();
    let page = visit.at("/api/auth/verify-request?provider=email&type=email");
    assert_eq!(outcome, SignIn::Redirect(page.clone()));
    assert_eq!(client.get_session().await.unwrap(), None);

    let link = visit.program().mailbox.link(&email).await;
    assert!(link.starts_with(&visit.at("/api/auth/callback/email?")), "{link}");
    let done = client.complete_sign_in(&link).await.unwrap();
    assert_eq!((&done.error, done.ok), (&None, true), "{done:?}");
    let session = client.get_session().await.unwrap().expect("the link signs in");
    assert_eq!(session.user.email.as_deref(), Some(&*email));

    // Once more, by one who stays on the page.
    let client = visit.client();
    let outcome = client.sign_in("email", options().redirect(false), &[]).await.unwrap();
    let response = visit.response(outcome);
    assert_eq!((&response.error, response.ok, response.url), (&None, true, Some(page)));
}

/// A link is good once.
pub async fn stale_link(visit: Visit) {
    let (first, second, email) = (visit.client(), visit.client(), address());
    let _ = first.sign_in("email", SignInOptions::new().field("email", &email), &[]).await.unwrap();
    let link = visit.program().mailbox.link(&email).await;
    assert_eq!(first.complete_sign_in(&link).await.unwrap().error, None);
    let again = second.complete_sign_in(&link).await.unwrap();
    assert_eq!(again.error.as_deref(), Some("Verification"), "{again:?}");
    assert_eq!(again.url, None);
    assert_eq!(second.get_session().await.unwrap(), None);
}
