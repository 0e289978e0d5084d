use fastmcp_rs::mcp;

struct Orders;

impl Orders {
    /// Counts the orders.
    #[mcp::tool]
    fn count(&self) -> usize {
        0
    }
}

fn main() {
    // The method is still there.
    Orders.count();
}
