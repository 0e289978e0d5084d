use fastmcp_rs::mcp;

struct Orders;

impl Orders {
    /// Finds the orders.
    #[mcp::tool]
    fn find() -> Self {
        Orders
    }
}

fn main() {
    Orders::find();
}
