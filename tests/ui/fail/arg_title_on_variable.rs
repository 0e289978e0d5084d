use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{id}")]
fn order(#[arg(title = "Order number")] id: &str) -> String {
    id.to_owned()
}

fn main() {
    order("1");
}
