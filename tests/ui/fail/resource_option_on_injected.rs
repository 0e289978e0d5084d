use fastmcp_rs::{State, mcp};

/// An order.
#[mcp::resource("orders://{order_id}")]
fn order(order_id: &str, #[arg(max_length = 3)] db: State<String>) -> String {
    format!("{order_id} {}", *db)
}

fn main() {}
