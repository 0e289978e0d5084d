use fastmcp_rs::mcp;

const ORDERS_URI: &str = "orders://all";

/// All orders.
#[mcp::resource(ORDERS_URI)]
fn orders(status: &str) -> String {
    status.to_owned()
}

fn main() {}
