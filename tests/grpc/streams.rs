use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis::{Auth, JwtContext, Lifetime, OriginPolicy, Secret, Trigger};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::UnboundedReceiverStream};
use tonic::{Code, service::Routes};

use crate::support::{
    Greeter, GreeterServer, Greeting, SECRET, SharedClock, hello, serve, token, verifier, with,
};

fn greeting(text: &str) -> Greeting {
    Greeting { text: text.to_owned() }
}

fn bearer() -> String {
    format!("Bearer {}", token("1", "user"))
}

#[tokio::test]
async fn every_shape_sees_the_session() {
    let clock = SharedClock::new();
    let (news, receiver) = mpsc::unbounded_channel();
    let greeter = Greeter { news: Arc::new(Mutex::new(Some(receiver))) };
    let server = serve(verifier(&clock), Routes::new(GreeterServer::new(greeter))).await;
    let mut client = server.client().await;
    let bearer = bearer();
    let metadata = [("authorization", bearer.as_str())];

    assert_eq!(client.greet(with(hello(), &metadata)).await.unwrap().into_inner().text, "1");

    let greetings = tokio_stream::iter([greeting("a"), greeting("b")]);
    assert_eq!(client.collect(with(greetings, &metadata)).await.unwrap().into_inner().text, "1 a b");

    let mut replies = client.repeat(with(hello(), &metadata)).await.unwrap().into_inner();
    for text in ["first", "second"] {
        news.send(text.to_owned()).unwrap();
        assert_eq!(replies.message().await.unwrap().unwrap().text, text);
    }
    drop(news);
    assert!(replies.message().await.unwrap().is_none());

    let (sender, greetings) = mpsc::unbounded_channel();
    let greetings = UnboundedReceiverStream::new(greetings);
    let mut replies = client.chat(with(greetings, &metadata)).await.unwrap().into_inner();
    for text in ["one", "two"] {
        sender.send(greeting(text)).unwrap();
        assert_eq!(replies.message().await.unwrap().unwrap().text, format!("1 {text}"));
    }
    drop(sender);
    assert!(replies.message().await.unwrap().is_none());

    for status in [
        client.collect(tokio_stream::iter([hello()])).await.unwrap_err(),
        client.chat(tokio_stream::iter([hello()])).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}

/// S80: an open stream ends when its session expires, though nobody sends anything.
#[tokio::test]
async fn s80_a_stream_ends_with_its_session() {
    let clock = SharedClock::new();
    let (news, receiver) = mpsc::unbounded_channel();
    let greeter = Greeter { news: Arc::new(Mutex::new(Some(receiver))) };
    let server = serve(verifier(&clock), Routes::new(GreeterServer::new(greeter))).await;
    let bearer = bearer();
    let request = with(hello(), &[("authorization", &bearer)]);
    let mut replies = server.client().await.repeat(request).await.unwrap().into_inner();
    news.send("before".to_owned()).unwrap();
    assert_eq!(replies.message().await.unwrap().unwrap().text, "before");
    clock.advance(3599);
    news.send("still".to_owned()).unwrap();
    assert_eq!(replies.message().await.unwrap().unwrap().text, "still");
    clock.advance(1);
    let status = replies.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "the session has ended"));
}

/// S19: the absolute limit ends streams, whatever the token says.
#[tokio::test]
async fn s19_a_stream_ends_at_the_absolute_limit() {
    let clock = SharedClock::new();
    let lifetime = Lifetime::default().absolute(Duration::from_secs(1800)).unwrap();
    let auth = Auth::verifier(Secret::new(SECRET)).clock(clock.clone()).lifetime(lifetime).build().unwrap();
    let server = serve(auth, Routes::new(GreeterServer::new(Greeter::default()))).await;
    let bearer = bearer();
    let (sender, greetings) = mpsc::unbounded_channel();
    let request = with(UnboundedReceiverStream::new(greetings), &[("authorization", bearer.as_str())]);
    let mut replies = server.client().await.chat(request).await.unwrap().into_inner();
    sender.send(greeting("before")).unwrap();
    assert_eq!(replies.next().await.unwrap().unwrap().text, "1 before");
    clock.advance(1800);
    assert_eq!(replies.next().await.unwrap().unwrap_err().code(), Code::Unauthenticated);
}

/// S80: what the `jwt` callback ends, ends open streams within the bound: in both directions.
#[tokio::test]
async fn s80_a_stream_learns_of_a_revocation_within_the_bound() {
    let clock = SharedClock::new();
    let revoked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&revoked);
    let auth = Auth::builder(Secret::new(SECRET))
        .origin(OriginPolicy::fixed("http://localhost:3000").unwrap())
        .clock(clock.clone())
        .on_jwt(move |JwtContext { token, trigger, .. }| {
            assert_eq!(trigger, Some(Trigger::Watch));
            let revoked = asked.load(Ordering::SeqCst);
            async move { Ok((!revoked).then_some(token)) }
        })
        .build()
        .unwrap();
    let server = serve(auth, Routes::new(GreeterServer::new(Greeter::default()))).await;
    let bearer = bearer();
    let (sender, greetings) = mpsc::unbounded_channel();
    let request = with(UnboundedReceiverStream::new(greetings), &[("authorization", bearer.as_str())]);
    let mut replies = server.client().await.chat(request).await.unwrap().into_inner();
    sender.send(greeting("before")).unwrap();
    assert_eq!(replies.next().await.unwrap().unwrap().text, "1 before");
    revoked.store(true, Ordering::SeqCst);
    clock.advance(10);
    let status = replies.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(replies.next().await.is_none());
}
