use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app", last_modified = "31 January 2026")]
fn config() -> String {
    String::new()
}

fn main() {}
