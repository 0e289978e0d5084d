use fastmcp_rs::mcp;

/// Returns an order.
#[mcp::resource("orders://{order_id}", rename_all = "kebab-case")]
fn order(order_id: u32) -> String {
    order_id.to_string()
}

fn main() {}
