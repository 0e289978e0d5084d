use fastmcp_rs::mcp;

trait Count {
    fn count(&self) -> usize;
}

struct Orders;

#[mcp::server]
impl Count for Orders {
    /// Counts.
    #[tool]
    fn count(&self) -> usize {
        0
    }
}

fn main() {
    Orders.count();
}
