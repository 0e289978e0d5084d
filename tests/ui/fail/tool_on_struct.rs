use fastmcp_rs::mcp;

/// An order.
#[mcp::tool]
pub struct Order {
    pub id: String,
}

fn main() {}
