use fastmcp_rs::mcp;

const URI: &str = "config://app";

/// The settings.
#[mcp::resource(URI, title = "Settings")]
fn config() -> String {
    URI.to_owned()
}

fn main() {}
