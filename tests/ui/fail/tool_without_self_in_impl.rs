use fastmcp_rs::prelude::*;

struct Orders;

impl Orders {
    /// Counts the orders of a region.
    #[mcp::tool]
    fn count(region: String) -> usize {
        region.len()
    }
}

fn main() {}
