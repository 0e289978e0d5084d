use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{;order_id}")]
fn order(order_id: &str) -> String {
    order_id.to_owned()
}

/// A line.
#[mcp::resource("lines://{=line}")]
fn line(line: &str) -> String {
    line.to_owned()
}

fn main() {}
