use fastmcp_rs::prelude::*;

struct Orders;

impl Orders {
    /// The newest order.
    #[mcp::resource("orders://newest")]
    fn newest() -> String {
        "ORD-101".to_owned()
    }
}

fn main() {}
