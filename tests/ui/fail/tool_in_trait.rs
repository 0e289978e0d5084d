use fastmcp_rs::prelude::*;

trait Store {
    /// Counts the orders of a region.
    #[mcp::tool]
    fn count(&self, region: String) -> usize;
}

fn main() {}
