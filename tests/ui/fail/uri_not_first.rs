use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource(title = "Settings", "config://app")]
fn config() -> String {
    String::new()
}

fn main() {}
