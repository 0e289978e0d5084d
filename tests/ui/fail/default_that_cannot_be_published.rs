use fastmcp_rs::{mcp, schemars};

#[derive(serde::Deserialize, schemars::JsonSchema)]
enum Priority {
    Low,
}

/// Searches.
#[mcp::tool]
fn search(#[arg(default = Priority::Low)] priority: Priority) -> bool {
    matches!(priority, Priority::Low)
}

fn main() {}
