//! Over real sockets.

use std::{
    future,
    future::Future,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use http::StatusCode;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use super::*;
use crate::http_client::HttpErrorKind;

/// Each time limit is over when a message comes.
#[derive(Debug)]
struct Stopwatch(Mutex<Option<oneshot::Receiver<()>>>);

impl Clock for Stopwatch {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn sleep(&self, limit: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        assert_eq!(limit, Duration::from_secs(10));
        match self.0.lock().unwrap().take() {
            Some(over) => Box::pin(async { drop(over.await) }),
            None => Box::pin(future::pending()),
        }
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys?token=canary", listener.local_addr().unwrap());
    (listener, url)
}

/// Reads the head of a request.
async fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Answers each connection's first request with `response`, and says how many there were.
fn serve(listener: TcpListener, response: &'static str) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = seen.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = request(&mut stream).await;
            requests.lock().unwrap().push(head);
            // The client may have gone away, having read enough.
            let _ = stream.write_all(response.as_bytes()).await;
        }
    });
    seen
}

async fn get(client: &HyperClient, url: &str) -> Result<Response<Bytes>, HttpError> {
    client.send(Request::get(url).body(Bytes::new()).unwrap()).await
}

fn client() -> HyperClient {
    HyperClient::new().unwrap()
}

#[tokio::test]
async fn requests_and_responses_go_through() {
    let (listener, url) = listener().await;
    let seen = serve(listener, "HTTP/1.1 418 I'm a teapot\r\nx-tea: green\r\ncontent-length: 3\r\n\r\nhot");
    let request = Request::post(&url).header("x-cup", "large").body(Bytes::from_static(b"please")).unwrap();
    let response = client().send(request).await.unwrap();
    assert_eq!((response.status(), &**response.body()), (StatusCode::IM_A_TEAPOT, &b"hot"[..]));
    assert_eq!(response.headers()["x-tea"], "green");
    let seen = seen.lock().unwrap();
    assert!(seen[0].starts_with("POST /keys?token=canary HTTP/1.1\r\n") && seen[0].contains("x-cup: large"));
}

#[tokio::test]
async fn a_request_says_who_asks() {
    let (listener, url) = listener().await;
    let seen = serve(listener, "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
    get(&client(), &url).await.unwrap();
    let named = Request::get(&url).header("user-agent", "my-app").body(Bytes::new()).unwrap();
    client().send(named).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen[0].contains("user-agent: portcullis\r\n"), "{}", seen[0]);
    assert!(seen[1].contains("user-agent: my-app\r\n") && !seen[1].contains("portcullis"), "{}", seen[1]);
}

#[tokio::test]
async fn s40_redirects_are_not_followed() {
    let (listener, url) = listener().await;
    let seen = serve(
        listener,
        "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    );
    let response = get(&client(), &url).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// S40: before the first byte, and in the middle of a body that drips.
#[tokio::test]
async fn s40_requests_have_a_time_limit() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let (listener, url) = listener().await;
        let (over, limit) = oneshot::channel();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            over.send(()).unwrap();
            // The client hangs up.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.map(|read| assert_eq!(read, 0))
        });
        let client = client().clock(Stopwatch(Mutex::new(Some(limit))));
        let error = get(&client, &url).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Timeout, "{answer:?}");
        let _ = server.await.unwrap();
    }
}

#[tokio::test]
async fn s40_responses_are_bounded() {
    for (response, limit, fits) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n12345678", 8, true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789", 8, false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n12345678", 8, false),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n",
            8,
            false,
        ),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", 0, true),
    ] {
        let (listener, url) = listener().await;
        serve(listener, response);
        match get(&client().max_response_bytes(limit), &url).await {
            Ok(response) => assert!(fits && response.body().len() == limit, "{response:?}"),
            Err(error) => {
                assert!(!fits, "{response}: {error}");
                assert_eq!(error.kind(), HttpErrorKind::TooLarge, "{response}: {error}");
            }
        }
    }
    // By default a megabyte. The server would go on for ever.
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut sent = 0;
        while stream.write_all(&[b' '; 65536]).await.is_ok() {
            sent += 65536;
        }
        sent
    });
    assert_eq!(get(&client(), &url).await.unwrap_err().kind(), HttpErrorKind::TooLarge);
    assert!(server.await.unwrap() < 64 * 1024 * 1024);
}

#[tokio::test]
async fn s39_nothing_is_sent_in_the_clear() {
    for url in
        ["http://issuer.example/keys", "http://192.0.2.1/", "http://0.0.0.0:1/", "/keys", "ftp://127.0.0.1/"]
    {
        let error = get(&client(), url).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::RefusedUrl, "{url}: {error}");
    }
}

/// The text says which part of the way is broken, and nothing of the URL.
#[tokio::test]
async fn s40_servers_that_are_not_there() {
    let (closed, url) = listener().await;
    drop(closed);
    let refused = get(&client(), &url).await.unwrap_err();
    assert!(refused.to_string().to_lowercase().contains("refused"), "{refused}");
    let (listener, url) = listener().await;
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let broke_off = get(&client(), &url).await.unwrap_err();
    let (listener, url) = self::listener().await;
    serve(listener, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    let no_http = get(&client(), &url).await.unwrap_err();
    for error in [refused, broke_off, no_http] {
        assert_eq!(error.kind(), HttpErrorKind::Unavailable, "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn connections_are_kept() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    });
    let client = client();
    for _ in 0..3 {
        assert_eq!(get(&client, &url).await.unwrap().status(), StatusCode::OK);
    }
    server.await.unwrap();
}

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("../../../tests/keys/test-tls.certificate.pem")).unwrap()
}

/// Trusts the certificate above, which is for `localhost`.
fn trusting() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// S40: a certificate counts if this machine trusts it and it is for that host.
#[tokio::test]
async fn s40_certificates_are_verified() {
    for (client, host, trusted) in [
        (HyperClient::with(trusting(), Resolver::of_system()), "localhost", true),
        (HyperClient::with(trusting(), Resolver::of_system()), "127.0.0.1", false),
        (client(), "localhost", false),
    ] {
        let port = serve_tls(&certificate());
        match get(&client, &format!("https://{host}:{port}/keys?token=canary")).await {
            Ok(response) => assert!(trusted && response.body() == "safe", "{host}"),
            Err(error) => {
                assert!(!trusted, "{host}: {error}");
                assert_eq!(error.kind(), HttpErrorKind::Unavailable);
                let text = error.to_string();
                assert!(text.contains("certificate") && !text.contains("canary"), "{text}");
            }
        }
    }
}

/// A client for which every name leads to the addresses that `find` gives for each time that it is asked.
fn led_to(
    find: impl Fn(usize) -> Vec<&'static str> + Send + Sync + 'static,
) -> (HyperClient, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let resolver = Resolver::new(move |_| {
        let addresses = find(count.fetch_add(1, Ordering::SeqCst));
        future::ready(Ok(addresses
            .iter()
            .map(|address| (address.parse::<IpAddr>().unwrap(), 0).into())
            .collect()))
    });
    (HyperClient::with(trusting(), resolver), asked)
}

/// S40, DNS rebinding: `localhost` may be asked in the clear, so it is this machine or nobody. The address that was
/// found to be so is the one that is connected to, since the name is not looked up again.
#[tokio::test]
async fn s40_localhost_is_this_machine_whatever_its_name_leads_to() {
    // TEST-NET-1, the cloud's metadata, somebody on this network: a request there would not be refused by a listener.
    for elsewhere in
        [&["192.0.2.1"][..], &["169.254.169.254", "10.0.0.1"], &["::ffff:192.0.2.1"], &["0.0.0.0"], &[]]
    {
        for scheme in ["http", "https"] {
            let (client, asked) = led_to(move |_| elsewhere.to_vec());
            let error = get(&client, &format!("{scheme}://localhost:1/keys?token=canary")).await.unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Unavailable, "{elsewhere:?}");
            let text = error.to_string();
            assert!(
                text.contains("mend the hosts file") && !text.contains("canary"),
                "{elsewhere:?}: {text}"
            );
            assert_eq!(asked.load(Ordering::SeqCst), 1);
        }
    }
    let (listener, url) = listener().await;
    let url = url.replace("127.0.0.1", "localhost");
    let seen = serve(listener, "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
    let (client, asked) = led_to(|time| match time {
        0 => vec!["192.0.2.1", "127.0.0.1"],
        _ => vec!["192.0.2.1"],
    });
    assert_eq!(get(&client, &url).await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!((seen.lock().unwrap().len(), asked.load(Ordering::SeqCst)), (1, 1));
    // The next connection is judged anew.
    let error = get(&client, &url).await.unwrap_err();
    assert!(error.to_string().contains("mend the hosts file"), "{error}");
    assert_eq!((seen.lock().unwrap().len(), asked.load(Ordering::SeqCst)), (1, 2));
}

/// S40, DNS rebinding: the name of an issuer that leads inside finds a server without a certificate for that name,
/// which is told nothing. In the clear such a name is not asked at all.
#[tokio::test]
async fn s40_names_that_lead_inside_find_no_certificate() {
    let (client, asked) = led_to(|_| vec!["127.0.0.1"]);
    let port = serve_tls(&certificate());
    let error = get(&client, &format!("https://issuer.example:{port}/keys?token=canary")).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Unavailable);
    assert!(error.to_string().contains("certificate"), "{error}");
    // A server inside that has no TLS hears no word of the request.
    let (listener, _) = listener().await;
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = vec![0; 64];
        let length = stream.read(&mut heard).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsafe").await.unwrap();
        (heard[0], String::from_utf8_lossy(&heard[..length]).contains("canary"))
    });
    let error = get(&client, &format!("https://issuer.example:{port}/keys?token=canary")).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Unavailable);
    let a_handshake = 0x16;
    assert_eq!(server.await.unwrap(), (a_handshake, false));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let error = get(&client, "http://issuer.example/keys").await.unwrap_err();
    assert_eq!((error.kind(), asked.load(Ordering::SeqCst)), (HttpErrorKind::RefusedUrl, 2));
}

/// One connection on a thread of its own, since rustls waits there. Gives the port.
fn serve_tls(certificate: &CertificateDer<'static>) -> u16 {
    let key =
        PrivateKeyDer::from_pem_slice(include_bytes!("../../../tests/keys/test-p256.private.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        let connection = ServerConnection::new(Arc::new(config)).map_err(io::Error::other)?;
        let mut tls = rustls::StreamOwned::new(connection, stream);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            io::Read::read_exact(&mut tls, &mut byte)?;
            head.push(byte[0]);
        }
        io::Write::write_all(&mut tls, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsafe")
    });
    port
}
