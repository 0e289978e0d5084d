use fastmcp_rs::mcp;

/// All orders.
#[mcp::resource("Orders://all")]
fn orders() -> String {
    String::new()
}

fn main() {}
