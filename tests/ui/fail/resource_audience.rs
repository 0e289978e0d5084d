use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app", audience = ["users", "assistant"])]
fn config() -> String {
    String::new()
}

fn main() {}
