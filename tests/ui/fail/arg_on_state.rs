use fastmcp_rs::{State, mcp};

struct Orders;

/// Counts.
#[mcp::tool]
fn count(#[arg(default = 1)] orders: State<Orders>) -> usize {
    let Orders = *orders;
    0
}

fn main() {}
