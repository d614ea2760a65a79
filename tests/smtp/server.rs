//! A server for mail that notes what it is told.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::trust::key;

/// How it behaves.
#[derive(Clone, Default)]
pub struct Manner {
    pub tls: Tls,
    /// The file of its certificate.
    pub certificate: &'static str,
    /// Who may send.
    pub login: Option<(&'static str, &'static str)>,
    /// Says nothing any more once it has heard this, and in its first conversation only.
    pub silent_after: Option<&'static str>,
    pub refuses_recipients: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Tls {
    #[default]
    Never,
    Offered,
    FromTheStart,
}

/// What was said in one connection.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    pub commands: Vec<String>,
    pub messages: Vec<String>,
    pub encrypted: bool,
}

#[derive(Clone)]
pub struct Server {
    pub port: u16,
    heard: Arc<Mutex<Vec<Conversation>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            heard: Arc::default(),
            connections: Arc::default(),
        };
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = own.connections.fetch_add(1, Ordering::SeqCst);
                own.heard.lock().unwrap().push(Conversation::default());
                let session = Session { manner: manner.clone(), server: own.clone(), number };
                tokio::spawn(async move { session.run(stream).await });
            }
        });
        server
    }

    /// What it has heard, connection by connection.
    pub fn heard(&self) -> Vec<Conversation> {
        self.heard.lock().unwrap().clone()
    }

    /// All messages that were handed over to the end.
    pub fn messages(&self) -> Vec<String> {
        self.heard().into_iter().flat_map(|conversation| conversation.messages).collect()
    }
}

struct Session {
    manner: Manner,
    server: Server,
    number: usize,
}

impl Session {
    async fn run(&self, stream: TcpStream) -> Option<()> {
        if self.manner.tls == Tls::FromTheStart {
            let stream = self.acceptor().accept(stream).await.ok()?;
            self.note(|heard| heard.encrypted = true);
            self.converse(stream, true).await.map(|_| ())
        } else {
            let plain = self.converse(stream, true).await?;
            let stream = self.acceptor().accept(plain).await.ok()?;
            self.note(|heard| heard.encrypted = true);
            self.converse(stream, false).await.map(|_| ())
        }
    }

    fn note(&self, note: impl FnOnce(&mut Conversation)) {
        note(&mut self.server.heard.lock().unwrap()[self.number]);
    }

    /// Talks until the end, or until the other side wants TLS: then the stream.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, greet: bool) -> Option<S> {
        let mut stream = BufStream::new(stream);
        if greet {
            self.say(&mut stream, "220 sink ESMTP").await?;
        }
        loop {
            let line = read_line(&mut stream).await?;
            self.note(|heard| heard.commands.push(line.clone()));
            let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            if self.number == 0 && self.manner.silent_after == Some(&*word) {
                std::future::pending::<()>().await;
            }
            let is_encrypted = self.server.heard()[self.number].encrypted;
            match &*word {
                "EHLO" => {
                    let mut lines = vec!["250-sink"];
                    lines
                        .extend((self.manner.tls == Tls::Offered && !is_encrypted).then_some("250-STARTTLS"));
                    lines.extend(self.manner.login.map(|_| "250-AUTH PLAIN"));
                    lines.push("250 8BITMIME");
                    self.say(&mut stream, &lines.join("\r\n")).await?;
                }
                "STARTTLS" => {
                    self.say(&mut stream, "220 go on").await?;
                    return Some(stream.into_inner());
                }
                "AUTH" => {
                    let (user, password) = self.manner.login.unwrap();
                    let good = STANDARD.encode(format!("\0{user}\0{password}"));
                    let good = line == format!("AUTH PLAIN {good}");
                    self.say(&mut stream, if good { "235 welcome" } else { "535 who are you?" }).await?;
                }
                "RCPT" if self.manner.refuses_recipients => self.say(&mut stream, "550 unknown").await?,
                "DATA" => {
                    self.say(&mut stream, "354 go on").await?;
                    let mut message = String::new();
                    loop {
                        match read_line(&mut stream).await?.as_str() {
                            "." => break,
                            line => {
                                message.push_str(&format!("{}\r\n", line.strip_prefix('.').unwrap_or(line)))
                            }
                        }
                    }
                    self.note(|heard| heard.messages.push(message));
                    self.say(&mut stream, "250 taken").await?;
                }
                "QUIT" => {
                    self.say(&mut stream, "221 bye").await?;
                    return None;
                }
                _ => self.say(&mut stream, "250 well").await?,
            }
        }
    }

    async fn say<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufStream<S>,
        text: &str,
    ) -> Option<()> {
        stream.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
        stream.flush().await.ok()
    }

    fn acceptor(&self) -> TlsAcceptor {
        let certificate = CertificateDer::from_pem_slice(&key(self.manner.certificate)).unwrap();
        let private = PrivateKeyDer::from_pem_slice(&key("test-p256.private.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], private)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A line without its end, which has to be CR and LF.
async fn read_line<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> Option<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let line = line.strip_suffix("\r\n").unwrap_or_else(|| panic!("a bare line feed in {line:?}"));
    assert!(!line.contains('\r'), "a bare carriage return in {line:?}");
    Some(line.to_owned())
}
