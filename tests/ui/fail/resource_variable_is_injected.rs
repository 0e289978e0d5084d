use fastmcp_rs::{Context, State, mcp};

/// An order.
#[mcp::resource("orders://{order_id}/{context}")]
async fn order(order_id: State<u8>, context: &Context) -> String {
    let _ = context;
    order_id.to_string()
}

fn main() {}
