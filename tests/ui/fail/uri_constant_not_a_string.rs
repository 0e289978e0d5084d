use fastmcp_rs::mcp;

const ORDER_URI: u8 = 1;

/// An order.
#[mcp::resource(ORDER_URI)]
fn order() -> String {
    String::new()
}

fn main() {}
