use fastmcp_rs::{State, mcp};

struct Order {
    id: String,
}

/// An order.
#[mcp::resource("orders://{order_id}/{store}")]
fn order(order_id: Order, store: State<String>, other: Order, #[arg(min = 1)] rest: State<u8>) -> Result<Order, String> {
    let _ = (store, other, rest);
    Err(order_id.id)
}

fn main() {}
