use std::{pin::pin, sync::Arc, task::Poll};

use tokio::sync::Barrier;

use super::kit::{Checked, broken};
use crate::store::{Result, StoreError, VerificationTokenStore};

/// One process's part in a race of several for a one-time token: `racers` tasks that are at it at once. Says
/// how many of them got it: over all processes, it has to be one.
///
/// # Errors
///
/// What the store answers where it must not fail.
pub async fn race_for_token(
    store: Arc<dyn VerificationTokenStore>,
    identifier: &str,
    token: &str,
    racers: usize,
) -> Result<usize> {
    let (identifier, token): (Arc<str>, Arc<str>) = (identifier.into(), token.into());
    let answers = at_once(racers, |_| {
        let (store, identifier, token) = (store.clone(), identifier.clone(), token.clone());
        async move { store.use_verification_token(&identifier, &token).await }
    })
    .await
    .map_err(|_| StoreError::corrupt("a call panicked"))?;
    let mut won = 0;
    for answer in answers {
        won += usize::from(answer?.is_some());
    }
    Ok(won)
}

/// The answers of `count` calls that are made at the same moment.
pub(super) async fn at_once<T, F>(count: usize, call: impl Fn(usize) -> F) -> Checked<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|index| {
            let (start, call) = (start.clone(), call(index));
            tokio::spawn(async move {
                start.wait().await;
                call.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(count);
    for task in tasks {
        answers.push(task.await.map_err(|_| broken("a call panicked"))?);
    }
    Ok(answers)
}

/// The numbers below 20 in another order, so that the first of 20 racers is not always the one with the largest.
pub(super) fn shuffled(index: usize) -> u64 {
    (index as u64 * 7) % 20
}

/// Polls `call` so many times, then drops it. Says whether it was done by then.
pub(super) async fn drop_after<F: Future>(polls: usize, call: F) -> bool {
    let (mut call, mut polled) = (pin!(call), 0);
    std::future::poll_fn(|cx| {
        polled += 1;
        match call.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if polled >= polls => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
