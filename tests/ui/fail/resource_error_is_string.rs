use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app")]
async fn config() -> Result<String, String> {
    Err("no settings".to_owned())
}

fn main() {}
