use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app")]
fn config() -> String;

fn main() {}
