//! The runtime of `#[mcp::main]`, and how work on it is given up.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};

use crate::error::Error;
use crate::panics;

/// What `#[mcp::main]` knows of its program.
#[doc(hidden)]
#[derive(Debug)]
pub struct Main {
    pub crate_name: &'static str,
    pub crate_version: &'static str,
    pub worker_threads: Option<usize>,
}

/// How long what still runs may go on after `main` has returned.
const SHUTDOWN: Duration = Duration::from_millis(200);

/// Runs a program's `main` on a small runtime that ends when `main` does.
///
/// What blocks them or does not end must not keep a process alive whose client has gone.
#[doc(hidden)]
pub fn run_main<F: Future>(main: Main, future: F) -> F::Output {
    // A second program in one process would be a test; the first one's version stays.
    let _ = crate::app::PROGRAM_VERSION.set(main.crate_version);
    let runtime = build_runtime(&main);
    let output = runtime.block_on(future);
    runtime.shutdown_timeout(SHUTDOWN);
    output
}

#[inline(never)]
fn build_runtime(main: &Main) -> Runtime {
    let workers = main.worker_threads.unwrap_or_else(default_workers).max(1);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("mcp-worker")
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("the tokio runtime of `{}` cannot be started: {error}", main.crate_name))
}

/// Does some work as the threads of a runtime do theirs, where code that blocks its thread by tokio's means panics.
///
/// The work is one poll to tokio, so the budget that makes futures yield now and then would run out for good.
pub(crate) fn inside<T>(runtime: &Handle, work: impl FnOnce() -> T) -> T {
    runtime.block_on(tokio::task::unconstrained(async { work() }))
}

/// Makes sure that this is called inside of a tokio runtime with timers: calls would never be answered otherwise.
pub(crate) fn check_timers() -> Result<(), Error> {
    if Handle::try_current().is_err() {
        return Err(Error::other(
            "there is no tokio runtime to serve in: put `#[mcp::main]` or `#[tokio::main]` on `main`, or serve inside of `Runtime::block_on`",
        ));
    }
    check("timers", || drop(tokio::time::sleep(Duration::ZERO)))
}

/// Makes sure that the runtime that this is called in has input and output, for sockets and signals.
#[cfg(feature = "http")]
pub(crate) fn check_io() -> Result<(), Error> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0));
    // Without a socket nothing is known; what is to be served says what is wrong.
    let Ok(socket) = socket.and_then(|socket| socket.set_nonblocking(true).map(|()| socket)) else { return Ok(()) };
    check("input and output", || drop(tokio::net::UdpSocket::from_std(socket)))
}

/// Makes sure that the runtime has something. tokio tells only by a panic whether it does.
fn check(what: &str, probe: impl FnOnce()) -> Result<(), Error> {
    if cfg!(panic = "abort") {
        // tokio's own message, which says the same, is the last one of the program.
        probe();
        return Ok(());
    }
    panics::install_hook();
    panics::catch(probe).map_err(|_| {
        Error::other(format!(
            "the tokio runtime has no {what}, which the server needs: call `enable_all()` on its builder, or put `#[mcp::main]` or `#[tokio::main]` on `main`"
        ))
    })
}

/// Does some work, and drops it if the end comes first.
#[cfg_attr(not(any(feature = "http", feature = "stdio")), allow(dead_code))]
pub(crate) async fn unless_first<T>(end: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    let (mut end, mut work) = (pin!(end), pin!(work));
    poll_fn(|task| match end.as_mut().poll(task) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(task).map(Some),
    })
    .await
}

/// Over HTTP the workers do everything, so there is one for each core but one. That is for what does not run on them:
/// the kernel's part of each call, and tools that block. With two cores a second worker made calls a tenth dearer, and
/// no more of them.
#[cfg(feature = "http")]
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1)
}

/// On standard input and output the workers only run calls that wait, beside the thread that reads, so one is enough:
/// each more is a thread to start.
#[cfg(not(feature = "http"))]
fn default_workers() -> usize {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_starts_the_configured_or_default_number_of_workers() {
        let workers = |worker_threads| {
            let main = Main { crate_name: "x", crate_version: env!("CARGO_PKG_VERSION"), worker_threads };
            run_main(main, async { tokio::runtime::Handle::current().metrics().num_workers() })
        };
        assert_eq!((workers(Some(3)), workers(Some(0))), (3, 1));
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let expected = if cfg!(feature = "http") { cores.saturating_sub(1).max(1) } else { 1 };
        assert_eq!(workers(None), expected);
    }
}
