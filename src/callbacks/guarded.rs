//! Runs the application's code so that its panics and its patience stay its own.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
    time::Duration,
};

use super::BoxFuture;
use crate::{clock::Clock, error::BoxError};

/// A callback that did not give an answer. Already logged.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It returned an error.
    Error(BoxError),
    /// It panicked, or took longer than its time limit.
    Broken,
}

/// Awaits what `start` makes: an error, a panic and more than `limit` are all [`Failed`].
pub(super) async fn guarded<T>(
    name: &'static str,
    clock: &dyn Clock,
    limit: Duration,
    start: impl FnOnce() -> BoxFuture<T>,
) -> Result<T, Failed> {
    let Ok(mut future) = catch_unwind(AssertUnwindSafe(start)) else { return Err(panicked(name)) };
    let mut timer = None;
    let mut poll = |cx: &mut Context<'_>| match future.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(outcome.map_err(Failed::Error)),
        Poll::Pending => {
            // Most callbacks are ready at once and never see a timer.
            let timer = timer.get_or_insert_with(|| clock.sleep(limit));
            timer.as_mut().poll(cx).map(|()| Err(timed_out(name, limit)))
        }
    };
    let outcome = poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| poll(cx))).unwrap_or_else(|_| Poll::Ready(Err(panicked(name))))
    })
    .await;
    if let Err(Failed::Error(error)) = &outcome {
        tracing::warn!(callback = name, error = %error, "a callback failed");
    }
    outcome
}

fn panicked(name: &'static str) -> Failed {
    tracing::error!(callback = name, "a callback panicked");
    Failed::Broken
}

fn timed_out(name: &'static str, limit: Duration) -> Failed {
    tracing::error!(callback = name, ?limit, "a callback took too long and was dropped");
    Failed::Broken
}
