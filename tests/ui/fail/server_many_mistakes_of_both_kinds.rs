use fastmcp_rs::prelude::*;

struct Order;

struct Orders;

#[mcp::server]
impl Orders {
    /// Finds orders.
    #[tool(timeout = 5)]
    fn find(&self, order: Order) -> String {
        let _ = order;
        "ORD-101".to_owned()
    }
}

fn main() {}
