use fastmcp_rs::mcp;

struct Order {
    id: String,
}

/// Reviews.
#[mcp::prompt]
fn review(order: Order) -> String {
    order.id
}

fn main() {}
