use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app", mimetype = "text/plain", read_only)]
fn config() -> String {
    String::new()
}

fn main() {}
