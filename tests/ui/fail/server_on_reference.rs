use fastmcp_rs::mcp;

struct Orders;

#[mcp::server]
impl &Orders {
    /// Counts.
    #[tool]
    fn count(&self) -> usize {
        0
    }
}

fn main() {}
