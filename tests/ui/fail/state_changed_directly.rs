use fastmcp_rs::prelude::*;

struct Counter {
    count: u32,
}

/// Counts.
#[mcp::tool]
async fn count(counter: State<Counter>) -> u32 {
    counter.count += 1;
    counter.count
}

fn main() {}
