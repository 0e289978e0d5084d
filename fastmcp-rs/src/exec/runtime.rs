//! The runtime of a server: checks of its features, and code that runs as on its own threads.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::error::Error;
use crate::util::catch_panic;

/// Runs some work as on the threads of a runtime, where code that blocks its thread through tokio panics.
///
/// To tokio the work is one poll, so the budget that makes futures yield now and then would run out permanently.
pub(crate) fn inside<T>(runtime: &Handle, work: impl FnOnce() -> T) -> T {
    runtime.block_on(tokio::task::unconstrained(async { work() }))
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
