use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app", ttl = "5", scope = "everybody")]
fn config() -> String {
    String::new()
}

/// The state.
#[mcp::resource("state://app", cache_ttl = "5m", scope = true)]
fn state() -> String {
    String::new()
}

/// Counts.
#[mcp::tool(ttl = "5m")]
fn count() -> u8 {
    1
}

fn main() {}
