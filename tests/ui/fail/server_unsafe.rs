use fastmcp_rs::mcp;

struct Orders;

#[mcp::server]
unsafe impl Orders {
    /// Counts.
    #[tool]
    fn count(&self) -> usize {
        0
    }
}

fn main() {
    Orders.count();
}
