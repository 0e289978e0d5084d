use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app", mime_type = "json")]
fn config() -> String {
    String::new()
}

fn main() {}
