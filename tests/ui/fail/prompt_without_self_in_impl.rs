use fastmcp_rs::prelude::*;

struct Orders;

impl Orders {
    /// Begins a review.
    #[mcp::prompt]
    async fn review(order: String) -> String {
        format!("Review {order}.")
    }
}

fn main() {}
