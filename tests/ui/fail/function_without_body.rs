use fastmcp_rs::mcp;

trait Orders {
    /// Counts.
    #[mcp::tool]
    fn count() -> usize;
}

fn main() {}
