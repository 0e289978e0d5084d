//! Uses the functions that every transport of lines calls, in a build without such a transport.
//!
//! A library of tools is built without a transport, because the program that serves the tools chooses one. With this
//! file, the compiler sees the same engine in use in every build.

use std::sync::Arc;

use super::App;
use crate::error::Error;
use crate::exec::runtime;
use crate::transport::in_memory;

/// Serves one line. No program contains this function, because nothing calls it.
async fn serve_line(app: App, line: &str) -> Result<Vec<u8>, Error> {
    runtime::check_timers()?;
    let server = Arc::new(app.start().await?);
    let connection = in_memory::connect(Arc::clone(&server), None);
    let mut frames = Vec::new();
    connection.receive(&mut connection.registry_snapshot(), Ok(line), &mut frames);
    connection.cancel_all();
    connection.outgoing().close();
    while connection.calls_in_flight() > 0 {
        tokio::task::yield_now().await;
    }
    server.run_shutdown_tasks().await;
    Ok(frames)
}

const _: fn() = || {
    let _ = serve_line;
};
