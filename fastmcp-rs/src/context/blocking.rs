//! Code of a call on the threads of the pool: with its span, as the current call, and in its runtime.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;

use tokio::sync::oneshot;
use tracing::Span;

use crate::context::{Context, current_call};
use crate::error::ToolError;
use crate::exec::paused_clock::ClockHold;
use crate::exec::thread_pool::{JobGuard, block_on, submit_job};
use crate::util::catch_panic::{self, CaughtPanic};

/// Runs a blocking handler on a thread of the pool.
#[doc(hidden)]
pub async fn run_blocking<V, F>(context: Context, work: F) -> Result<V, ToolError>
where
    V: Send + 'static,
    F: FnOnce() -> V + Send + 'static,
{
    let retained = context.arguments_guard();
    let work = move || {
        let value = work();
        drop(retained);
        value
    };
    run(&context.component.name, work).await
}

/// Runs a handler that is `async` and blocks on a thread of the pool.
#[doc(hidden)]
pub async fn run_blocking_async<V, F, Fut>(context: Context, work: F) -> Result<V, ToolError>
where
    V: Send + 'static,
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = V>,
{
    let retained = context.arguments_guard();
    let work = move || {
        let work = work();
        async move {
            let value = work.await;
            drop(retained);
            value
        }
    };
    run_async(&context.component.name, work).await
}

/// Runs `work` on a thread of the pool. A panic in it continues in the caller.
pub(crate) async fn run<V, F>(tool: &str, work: F) -> Result<V, ToolError>
where
    V: Send + 'static,
    F: FnOnce() -> V + Send + 'static,
{
    run_with(tool, |_, _| work()).await
}

pub(crate) async fn run_with<V, F>(tool: &str, work: F) -> Result<V, ToolError>
where
    V: Send + 'static,
    F: FnOnce(&mut oneshot::Sender<Result<V, CaughtPanic>>, &Weak<ClockHold>) -> V + Send + 'static,
{
    let (mut sender, receiver) = oneshot::channel();
    let runtime = tokio::runtime::Handle::try_current().ok();
    let clock = runtime.as_ref().and_then(ClockHold::hold_if_tested);
    let clock_of_job = clock.as_ref().map_or_else(Weak::new, Arc::downgrade);
    let call = current_call::current();
    let span = current_span();
    let job = move || {
        let _span = span.enter();
        let _call = current_call::enter(|| call);
        let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
        let result = catch_panic::run_catching(|| work(&mut sender, &clock_of_job));
        let _ = sender.send(result);
    };
    let _guard = JobGuard(submit_job(tool, Box::new(job)));
    match receiver.await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(panic)) => resume_unwind(Box::new(panic) as Box<dyn Any + Send>),
        Err(_) => Err(ToolError::internal("cannot start a thread for a blocking call")),
    }
}

/// Runs a future that blocks on a thread of the pool. It is dropped at its next `await` after its caller
/// has stopped waiting for it. The thread has the caller's runtime, as its tasks have, but may block.
pub(crate) async fn run_async<V, F, Fut>(tool: &str, work: F) -> Result<V, ToolError>
where
    V: Send + 'static,
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = V>,
{
    let value = run_with(tool, move |sender, clock| {
        let mut work = pin!(work());
        block_on(poll_fn(|task| match sender.poll_closed(task) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => {
                let work = work.as_mut();
                match clock.upgrade() {
                    None => work.poll(task).map(Some),
                    Some(clock) => clock.poll(work, task).map(Some),
                }
            }
        }))
    });
    value.await?.ok_or_else(|| ToolError::internal("the call was cancelled"))
}

/// Returns the current span of this thread, for another thread that continues the work.
fn current_span() -> Span {
    match tracing::level_filters::LevelFilter::current() {
        // Without a subscriber there is no span.
        tracing::level_filters::LevelFilter::OFF => Span::none(),
        _ => Span::current(),
    }
}
