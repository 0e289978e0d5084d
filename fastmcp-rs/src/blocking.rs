//! Threads for tools that block.
//!
//! A `fn` tool may compute or wait for as long as it likes, so it never runs on the reader or on the
//! runtime's workers. The pool is ours rather than tokio's because tokio waits for its blocking threads
//! when a runtime is dropped: a stuck tool would keep a process alive whose client has gone.

use std::any::Any;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::ToolError;
use crate::{operator, panics};

/// How many threads there are at the most.
const MAX_THREADS: usize = 64;
/// How long a thread without work is kept.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

struct Pool {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

static POOL: OnceLock<Pool> = OnceLock::new();

fn lock(pool: &Pool) -> MutexGuard<'_, State> {
    pool.state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` on a thread of the pool. A panic in it continues in the caller.
pub(crate) async fn run<V, F>(tool: &str, work: F) -> Result<V, ToolError>
where
    V: Send + 'static,
    F: FnOnce() -> V + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let runtime = tokio::runtime::Handle::try_current().ok();
    let job = move || {
        let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
        // Nobody is interested any more in a call that was cancelled while it waited for a thread.
        if sender.is_closed() {
            return;
        }
        let result = panics::watched(|| catch_unwind(AssertUnwindSafe(work))).map_err(panics::record);
        let _ = sender.send(result);
    };
    submit(tool, Box::new(job));
    match receiver.await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(panic)) => resume_unwind(Box::new(panic) as Box<dyn Any + Send>),
        Err(_) => Err(ToolError::internal("the thread of a blocking call could not be started")),
    }
}

/// Runs a future that blocks on a thread of the pool.
pub(crate) async fn run_async<V, F, Fut>(tool: &str, work: F) -> Result<V, ToolError>
where
    V: Send + 'static,
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = V>,
{
    let runtime = tokio::runtime::Handle::current();
    run(tool, move || runtime.block_on(work())).await
}

fn submit(tool: &str, job: Job) {
    let pool = POOL.get_or_init(|| Pool { state: Mutex::default(), work: Condvar::new() });
    let mut state = lock(pool);
    state.jobs.push_back(job);
    if state.jobs.len() <= state.idle {
        pool.work.notify_one();
        return;
    }
    if state.threads >= MAX_THREADS {
        let waiting = state.jobs.len();
        drop(state);
        // Told at powers of two, or a flood of calls would be a flood of lines.
        if waiting.is_power_of_two() {
            operator::warn(format_args!(
                "all {MAX_THREADS} threads for blocking tools are busy, and {waiting} calls wait, the last one of `{tool}`"
            ));
        }
        return;
    }
    state.threads += 1;
    drop(state);
    if std::thread::Builder::new().name("mcp-blocking".into()).spawn(move || work(pool)).is_err() {
        let mut state = lock(pool);
        state.threads -= 1;
        if state.threads == 0 {
            // Nobody is left to take the jobs; dropping them answers their calls.
            state.jobs.clear();
        }
    }
}

fn work(pool: &'static Pool) {
    let mut state = lock(pool);
    loop {
        if let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = lock(pool);
            continue;
        }
        state.idle += 1;
        let (guard, timeout) = pool.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
        state = guard;
        state.idle -= 1;
        if timeout.timed_out() && state.jobs.is_empty() {
            state.threads -= 1;
            return;
        }
    }
}
