//! Runs the application's code so that its panics and its patience stay its own.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    time::Duration,
};

use super::BoxFuture;
use crate::{
    clock::{Clock, within},
    error::BoxError,
};

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
    let Ok(future) = catch_unwind(AssertUnwindSafe(start)) else { return Err(panicked(name)) };
    let mut limited = pin!(within(clock, limit, future));
    let outcome = poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| limited.as_mut().poll(cx).map(Ok)))
            .unwrap_or_else(|_| Poll::Ready(Err(panicked(name))))
    })
    .await?
    .map_or_else(|| Err(timed_out(name, limit)), |outcome| outcome.map_err(Failed::Error));
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
