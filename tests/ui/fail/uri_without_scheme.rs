use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders/{order_id}")]
fn order(order_id: &str) -> String {
    order_id.to_owned()
}

/// All orders.
#[mcp::resource("/orders")]
fn orders() -> String {
    String::new()
}

fn main() {}
