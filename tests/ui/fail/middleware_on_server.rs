use fastmcp_rs::prelude::*;

struct Desk;

#[mcp::server(middleware = fastmcp_rs::middleware::Timing::new())]
impl Desk {
    /// Counts the orders.
    #[tool]
    fn count(&self) -> u32 {
        3
    }
}

fn main() {}
