use fastmcp_rs::prelude::*;

struct Orders;

impl Orders {
    /// Counts the orders.
    #[tool]
    fn count(&self) -> usize {
        3
    }
}

fn main() {}
