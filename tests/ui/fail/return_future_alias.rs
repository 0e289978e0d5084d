use fastmcp_rs::prelude::*;

type BoxFuture<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// Begins a review.
#[mcp::prompt]
fn review(order: String) -> BoxFuture<String> {
    Box::pin(async move { format!("Review {order}.") })
}

fn main() {}
