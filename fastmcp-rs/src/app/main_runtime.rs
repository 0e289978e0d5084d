//! The runtime of `#[mcp::main]`, and its shutdown.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::runtime::Runtime;

/// Facts about the program that `#[mcp::main]` passes on.
#[doc(hidden)]
#[derive(Debug)]
pub struct Main {
    pub crate_name: &'static str,
    pub crate_version: &'static str,
    pub worker_threads: Option<usize>,
}

/// The time limit for running tasks after `main` has returned.
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(200);

/// Runs a program's `main` on a small runtime that ends when `main` returns.
///
/// Tasks that block the workers or never end must not keep a process alive whose client has gone.
#[doc(hidden)]
pub fn run_main<F: Future>(main: Main, future: F) -> F::Output {
    let mut output = None;
    block_on(&main, pin!(async { output = Some(future.await) }));
    output.unwrap_or_else(|| unreachable!("`block_on` returns when the future is complete"))
}

/// Compiled once, because the code of tokio's `block_on` would be a large part of a small program.
#[inline(never)]
fn block_on(main: &Main, future: Pin<&mut dyn Future<Output = ()>>) {
    // A second program in one process occurs only in a test; the version of the first stays.
    let _ = crate::app::PROGRAM_VERSION.set(main.crate_version);
    let runtime = build_runtime(main);
    runtime.block_on(future);
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
}

fn build_runtime(main: &Main) -> Runtime {
    let workers = main.worker_threads.unwrap_or_else(default_workers).max(1);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("mcp-worker")
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("the tokio runtime of `{}` cannot be started: {error}", main.crate_name))
}

/// Over HTTP the workers do all the work, so there is one worker per core, less one core. The remaining core is for
/// work outside of the workers: the kernel's part of each call, and tools that block. With two cores, a second worker
/// made each call a tenth more expensive and did not raise the throughput.
#[cfg(feature = "http")]
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1)
}

/// On standard input and output the workers only run calls that wait, beside the thread that reads, so one is enough:
/// each further worker is a thread to start.
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
