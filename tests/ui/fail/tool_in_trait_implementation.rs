use fastmcp_rs::prelude::*;

trait Store {
    fn count(region: String) -> usize;
}

struct Orders;

impl Store for Orders {
    /// Counts the orders of a region.
    #[mcp::tool]
    fn count(region: String) -> usize {
        region.len()
    }
}

fn main() {}
