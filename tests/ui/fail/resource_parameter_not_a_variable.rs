use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{order_id}")]
fn order(order_id: &str, limit: Option<u32>) -> String {
    format!("{order_id} {limit:?}")
}

fn main() {}
