use fastmcp_rs::prelude::*;

struct Orders;

#[mcp::server]
impl Orders {
    /// Counts the orders.
    #[tool]
    fn count(&self) -> u32 {
        1
    }

    /// Counts the orders again.
    #[tool]
    fn count(&self) -> u32 {
        1
    }
}

fn main() {}
