use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource(uri = "config://app")]
fn config() -> String {
    String::new()
}

fn main() {}
