//! The runtime of a server: checks of its features, and code that runs as on its own threads.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::error::Error;
use crate::exec::thread_pool;
use crate::util::catch_panic;

/// Runs some work as on the threads of a runtime, where code that blocks its thread through tokio panics.
///
/// To tokio the work is one poll, so the budget that makes futures yield now and then would run out permanently.
pub(crate) fn inside<T>(runtime: &Handle, work: impl FnOnce() -> T) -> T {
    runtime.block_on(tokio::task::unconstrained(async { work() }))
}

/// Does work that may block, while the other tasks of this thread's runtime go on. The only thread of a runtime cannot do
/// that, and waits.
pub(crate) fn block_in_place_if_possible<T>(work: impl FnOnce() -> T) -> T {
    let is_only_thread = || Handle::try_current().is_ok_and(|it| it.runtime_flavor() != RuntimeFlavor::MultiThread);
    if is_only_thread() && !thread_pool::is_pool_thread() {
        return work();
    }
    let (mut work, mut result) = (Some(work), None);
    // `run_catching` would count the panic of a `LocalSet`, which is none of the program's.
    let begun = catch_panic::run_recording(|| {
        let begin = || tokio::task::block_in_place(|| result = work.take().map(|work| work()));
        catch_unwind(AssertUnwindSafe(begin))
    });
    match (result, work) {
        (Some(result), _) => result,
        // A `LocalSet` does not allow it, whatever the runtime is, and reports that only by a panic.
        (None, Some(work)) => work(),
        (None, None) => resume_unwind(begun.err().unwrap_or_else(|| Box::new("the job has no result"))),
    }
}

/// Returns an error outside of a tokio runtime with timers: calls would never be answered there.
pub(crate) fn check_timers() -> Result<(), Error> {
    if Handle::try_current().is_err() {
        return Err(Error::other(
            "there is no tokio runtime: put `#[mcp::main]` or `#[tokio::main]` on `main`, or serve inside \
             `Runtime::block_on`",
        ));
    }
    check("timers", || drop(tokio::time::sleep(Duration::ZERO)))
}

/// Returns an error if the current runtime has no input and output, which sockets and signals need.
#[cfg(feature = "http")]
pub(crate) fn check_io() -> Result<(), Error> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0));
    // Without a socket the result is unknown, and the server's own socket reports the failure.
    let Ok(socket) = socket.and_then(|socket| socket.set_nonblocking(true).map(|()| socket)) else { return Ok(()) };
    check("input and output", || drop(tokio::net::UdpSocket::from_std(socket)))
}

/// Returns an error if the runtime lacks a feature. tokio reports that only by a panic.
pub(crate) fn check(what: &str, probe: impl FnOnce()) -> Result<(), Error> {
    if cfg!(panic = "abort") {
        // tokio's own message, which says the same, would be the last output of the program.
        probe();
        return Ok(());
    }
    catch_panic::install_hook();
    catch_panic::run_catching(probe).map_err(|_| {
        Error::other(format!(
            "the tokio runtime has no {what}, which the server needs: call `enable_all()` on its builder, or put `#[mcp::main]` or `#[tokio::main]` on `main`"
        ))
    })
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn blocking_work_runs_in_every_kind_of_runtime() {
        tokio::spawn(async { assert_eq!(block_in_place_if_possible(|| block_in_place_if_possible(|| 1)), 1) })
            .await
            .unwrap();
        LocalSet::new().run_until(async { assert_eq!(block_in_place_if_possible(|| 2), 2) }).await;
        std::thread::spawn(|| assert_eq!(block_in_place_if_possible(|| 3), 3)).join().unwrap();
        let single = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        std::thread::spawn(move || single().block_on(async { assert_eq!(block_in_place_if_possible(|| 4), 4) }))
            .join()
            .unwrap();
        let panicked = tokio::spawn(async { block_in_place_if_possible(|| panic!("on purpose")) }).await.unwrap_err();
        assert_eq!(panicked.into_panic().downcast_ref(), Some(&"on purpose"));
    }
}
