use fastmcp_rs::mcp;

const ORDER_URI: &str = "orders://{id}";

/// An order.
#[mcp::resource(ORDER_URI)]
fn order() -> String {
    String::new()
}

fn main() {}
