use fastmcp_rs::mcp;

#[mcp::model(input)]
struct NewOrder {
    id: String,
}

/// Adds an order.
#[mcp::tool]
async fn add(order: NewOrder) -> Vec<NewOrder> {
    println!("{}", order.id);
    vec![order]
}

fn main() {}
