use fastmcp_rs::prelude::*;

/// Reads the newest order.
#[mcp::resource("orders://newest")]
fn newest() -> impl Future<Output = String> + Send {
    async { "ORD-101".to_owned() }
}

fn main() {}
