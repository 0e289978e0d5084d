use fastmcp_rs::mcp;

struct OrderId(String);

/// An order.
#[mcp::resource("orders://{order_id}")]
fn order(order_id: OrderId) -> String {
    order_id.0
}

fn main() {}
