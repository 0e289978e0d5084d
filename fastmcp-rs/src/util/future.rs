//! Combinators for futures.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Runs some work, and drops it if the end comes first.
pub(crate) async fn run_until<T>(end: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    let (mut end, mut work) = (pin!(end), pin!(work));
    poll_fn(|task| match end.as_mut().poll(task) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(task).map(Some),
    })
    .await
}
