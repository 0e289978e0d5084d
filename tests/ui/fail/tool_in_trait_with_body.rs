use fastmcp_rs::prelude::*;

trait Store {
    /// Counts the orders of a region.
    #[mcp::tool]
    fn count(region: String) -> usize {
        region.len()
    }
}

fn main() {}
