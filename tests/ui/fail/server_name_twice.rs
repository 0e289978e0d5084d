use fastmcp_rs::prelude::*;

struct Orders;

#[mcp::server]
impl Orders {
    /// Counts the orders.
    #[tool]
    fn count(&self) -> u32 {
        1
    }

    /// Counts the open orders.
    #[tool(name = "count")]
    fn count_open(&self) -> u32 {
        1
    }

    /// Reviews the orders.
    #[prompt]
    fn review(&self) -> String {
        String::new()
    }

    /// Reviews the open orders.
    #[prompt(name = "review")]
    fn review_open(&self) -> String {
        String::new()
    }
}

fn main() {}
