//! How much of a request is read: bounds in work, which hold on any machine. Row S43 of `docs/security.md`;
//! `tests/allocations.rs` has those of memory.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use portcullis::{AuthLayer, Dialect};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{ManualClock, NOW, builder};

const FRAME: usize = 1000;
const LIMIT: usize = 4000;

/// A body without an end, which counts what was taken of it.
struct Endless {
    taken: Arc<AtomicUsize>,
    frame: Bytes,
    announced: SizeHint,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.taken.fetch_add(self.frame.len(), Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(self.frame.clone()))))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced
    }
}

/// The status, and how many bytes of the body were taken.
async fn post(dialect: Dialect, action: &str, kind: &str, text: &str, announced: SizeHint) -> (u16, usize) {
    let taken = Arc::new(AtomicUsize::new(0));
    let frame = text.repeat(FRAME.div_ceil(text.len())).into();
    let body = Endless { taken: Arc::clone(&taken), frame, announced };
    let auth = builder(&ManualClock::at(NOW)).dialect(dialect).body_limit(LIMIT).build().unwrap();
    let service = AuthLayer::new(auth).layer(service_fn(async |_: Request<Endless>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let request =
        Request::post(format!("/api/auth/{action}")).header(header::CONTENT_TYPE, kind).body(body).unwrap();
    let status = service.oneshot(request).await.unwrap().status().as_u16();
    (status, taken.load(Ordering::SeqCst))
}

/// S43, S96: of a body that is too long no more is read than the limit and what came with its last byte, whatever
/// was announced; it is refused before anything takes it apart. One that is neither a form nor JSON is not read.
#[tokio::test]
async fn s43_what_is_too_long_is_not_read_to_its_end() {
    for dialect in Dialect::ALL {
        for action in ["signin/credentials", "callback/credentials", "signout", "session", "signin/nobody"] {
            for announced in [SizeHint::default(), SizeHint::with_exact(u64::MAX), SizeHint::with_exact(1)] {
                for (kind, text) in [
                    ("application/x-www-form-urlencoded", "a=1&"),
                    ("application/x-www-form-urlencoded", "%"),
                    ("application/json", "["),
                    ("application/json", "{\"a\":"),
                ] {
                    let (status, taken) = post(dialect, action, kind, text, announced).await;
                    let about = format!("{dialect}: {action}, {kind}, {text}: {taken} bytes");
                    assert_eq!(status, 413, "{about}");
                    assert!(taken <= LIMIT + text.len() * FRAME.div_ceil(text.len()), "{about}");
                }
                let (_, taken) = post(dialect, action, "multipart/form-data", "a=1&", announced).await;
                assert_eq!(taken, 0, "{dialect}: {action}");
            }
        }
    }
}
