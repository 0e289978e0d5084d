use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app")]
#[mcp::tool]
fn config() -> String {
    String::new()
}

fn main() {}
