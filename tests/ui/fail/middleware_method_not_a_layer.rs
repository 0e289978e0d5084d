use fastmcp_rs::prelude::*;

struct Desk;

#[mcp::server]
impl Desk {
    const LIMIT: u32 = 3;

    /// Counts the orders.
    #[tool(middleware = Self::LIMIT)]
    fn count(&self) -> u32 {
        Self::LIMIT
    }
}

fn main() {}
