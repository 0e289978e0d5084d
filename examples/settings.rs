//! A server whose operator chooses the transport, the address, limits and log lines, without a build.
//!
//! ```sh
//! cargo run --features settings --example settings                                      # standard input and output
//! FASTMCP_RS_BIND=127.0.0.1:8000 cargo run --features settings --example settings       # http://127.0.0.1:8000/mcp
//! FASTMCP_RS_CONFIG=settings.toml cargo run --features settings --example settings      # a file, such as:
//! ```
//!
//! ```toml
//! bind = "127.0.0.1:8000"
//! timeout = "1m30s"
//! max_body = "1 MiB"
//! log_level = "debug"
//! ```

use std::time::Duration;

use fastmcp_rs::prelude::*;

/// Reads the note of a day.
#[mcp::tool(read_only)]
fn read_note(#[arg(min = 1, max = 31)] day: u32) -> Result<String, ToolError> {
    Ok(std::fs::read_to_string(format!("/srv/notes/{day}.txt"))?)
}

/// Waits, and returns the time that it waited.
#[mcp::tool]
async fn wait(milliseconds: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    milliseconds
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    // The text of internal errors stays in the log, whatever the operator sets. Everything else is the operator's.
    App::new("settings-example").show_errors(false).settings(Settings::load()?).run().await
}
