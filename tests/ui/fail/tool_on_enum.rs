use fastmcp_rs::prelude::*;

/// The state of an order.
#[mcp::tool]
enum State {
    Open,
}

fn main() {}
