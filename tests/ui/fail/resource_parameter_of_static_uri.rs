use fastmcp_rs::mcp;

/// The settings.
#[mcp::resource("config://app")]
fn config(section: &str) -> String {
    section.to_owned()
}

fn main() {}
