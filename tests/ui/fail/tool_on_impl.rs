use fastmcp_rs::mcp;

struct Orders;

#[mcp::tool]
impl Orders {
    /// Counts.
    fn count(&self) -> usize {
        0
    }
}

fn main() {
    Orders.count();
}
