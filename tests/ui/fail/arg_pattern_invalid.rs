use fastmcp_rs::mcp;

#[mcp::model]
struct Order {
    #[arg(pattern = "^[A-Z{2}$")]
    country: String,
}

/// Finds an order.
#[mcp::tool]
async fn find(#[arg(pattern = "^(ORD-[0-9]+$")] id: &str) -> Order {
    Order { country: id.into() }
}

fn main() {}
