use fastmcp_rs::prelude::*;

/// Reviews an order.
#[mcp::prompt(middleware = "timing")]
fn review() -> String {
    String::new()
}

fn main() {}
