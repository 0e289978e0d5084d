use fastmcp_rs::mcp;

#[mcp::model]
enum Priority {
    Low,
}

/// Searches.
#[mcp::tool]
fn search(#[arg(default)] priority: Priority) -> bool {
    matches!(priority, Priority::Low)
}

#[mcp::model]
struct Issue {
    #[arg(default)]
    priority: Priority,
}

fn main() {}
