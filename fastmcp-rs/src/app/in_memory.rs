//! Stands in for the programs that serve lines, in a build without a transport for them.
//!
//! A library of tools is built without a transport, and the program that serves the tools chooses one. So that the
//! compiler checks the same engine in every build, this calls the functions that every transport for lines calls.

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
