use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource(concat!("config://", "app"), title = "Settings")]
fn config() -> String {
    String::new()
}

fn main() {}
