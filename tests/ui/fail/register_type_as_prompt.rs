use fastmcp_rs::prelude::*;

struct Orders;

#[mcp::server]
impl Orders {
    /// Begins a review.
    #[prompt]
    fn review(&self) -> String {
        "Review the orders.".to_owned()
    }
}

fn main() {
    App::empty("orders").prompt::<Orders>();
}
