use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://all{?limit}/lines")]
fn order(limit: Option<u32>) -> String {
    format!("{limit:?}")
}

fn main() {}
