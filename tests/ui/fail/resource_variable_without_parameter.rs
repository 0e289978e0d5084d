use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{order_id}{?verbose}")]
fn order(orderid: &str) -> String {
    orderid.to_owned()
}

fn main() {}
