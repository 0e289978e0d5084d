use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{order_id}")]
fn order(#[arg(complete = order_ids)] order_id: &str) -> String {
    order_id.to_owned()
}

fn main() {}
