use fastmcp_rs::prelude::*;

struct Orders;

#[mcp::server]
impl Orders {
    /// Returns the orders.
    #[tool]
    fn all(&self) -> &Self {
        self
    }
}

fn main() {}
