//! An MCP server inside an axum server, beside its other routes.
//!
//! ```sh
//! cargo run --features axum --example axum_mount   # http://127.0.0.1:8000/mcp
//! ```

use axum::Router;
use axum::routing::get;
use fastmcp_rs::prelude::*;

/// Adds two numbers.
#[mcp::tool(read_only)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mcp = App::new("calculator").version(env!("CARGO_PKG_VERSION")).into_service().await?;
    let router = Router::new().route("/", get(|| async { "a page" })).route_service("/mcp", mcp);
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let greeting = format!("listens on http://{}/mcp\n", listener.local_addr()?);
    // One write, so that no line of the log comes in between.
    eprint!("{greeting}");
    axum::serve(listener, router).await?;
    Ok(())
}
