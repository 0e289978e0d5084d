//! The runtime that a server runs in: its abilities, and code that runs as its own threads do.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::error::Error;
use crate::util::catch_panic;

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
    // Without a socket the result is unknown; the server's own input and output report the failure.
    let Ok(socket) = socket.and_then(|socket| socket.set_nonblocking(true).map(|()| socket)) else { return Ok(()) };
    check("input and output", || drop(tokio::net::UdpSocket::from_std(socket)))
}

/// Makes sure that the runtime has something. tokio tells only by a panic whether it does.
pub(crate) fn check(what: &str, probe: impl FnOnce()) -> Result<(), Error> {
    if cfg!(panic = "abort") {
        // tokio's own message, which says the same, is the last one of the program.
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
