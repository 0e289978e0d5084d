use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{order_id}")]
fn order(#[arg(header = "Order")] order_id: &str) -> String {
    order_id.to_owned()
}

fn main() {}
