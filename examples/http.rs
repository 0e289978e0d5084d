//! A server on HTTP, for clients of every revision.
//!
//! ```sh
//! cargo run --example http                      # http://127.0.0.1:8000/mcp
//! cargo run --example http -- 127.0.0.1:9000
//! ```
//!
//! On an address that other machines can reach, configure `App::authenticate`, or
//! `HttpConfig::allowed_hosts`.

use std::time::Duration;

use fastmcp_rs::prelude::*;

/// Counts down to zero, ten steps per second, and reports its progress.
#[mcp::tool(read_only)]
async fn count_down(#[arg(min = 0, max = 600)] from: u32, ctx: &Context) -> String {
    for left in (1..=from).rev() {
        ctx.progress(from - left, from, "counting");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    "zero".into()
}

/// The agenda of today.
#[mcp::resource("agenda://today", mime_type = "text/plain")]
fn agenda() -> String {
    "Serve MCP on HTTP.".into()
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".into());
    App::new("http-example").run_http(address).await
}
