use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{order_id")]
fn order(order_id: &str) -> String {
    order_id.to_owned()
}

fn main() {}
