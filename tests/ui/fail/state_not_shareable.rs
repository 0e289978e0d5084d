use std::cell::Cell;

use fastmcp_rs::{State, mcp};

/// Counts.
#[mcp::tool]
async fn count(counter: State<Cell<u32>>) -> u32 {
    counter.replace(1)
}

fn main() {}
