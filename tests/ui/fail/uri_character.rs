use fastmcp_rs::mcp;

/// All orders.
#[mcp::resource("orders://all of them")]
fn orders() -> String {
    String::new()
}

fn main() {}
