use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource]
fn config() -> String {
    String::new()
}

/// The same.
#[mcp::resource(title = "Settings")]
fn again() -> String {
    String::new()
}

fn main() {}
