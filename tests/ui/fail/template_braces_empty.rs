use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{}")]
fn order(order_id: &str) -> String {
    order_id.to_owned()
}

fn main() {}
