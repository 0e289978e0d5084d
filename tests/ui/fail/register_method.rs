use fastmcp_rs::prelude::*;

struct Orders;

#[mcp::server]
impl Orders {
    /// Counts the orders.
    #[tool]
    fn count(&self) -> usize {
        3
    }
}

fn main() {
    App::empty("orders").tool::<Orders::count>();
}
