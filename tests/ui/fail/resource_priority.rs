use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app", priority = 1.5)]
fn config() -> String {
    String::new()
}

fn main() {}
