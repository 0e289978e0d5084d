use fastmcp_rs::mcp;

#[mcp::model]
#[serde(rename_all = "lowercase")]
enum Priority {
    Low,
    Normal,
    High,
}

#[mcp::model]
struct Issue {
    title: String,
    #[arg(default = "hihg")]
    priority: Priority,
}

/// Lists issues.
#[mcp::tool]
async fn list(#[arg(default = "urgent")] priority: Option<Priority>) -> Vec<Issue> {
    priority.into_iter().map(|priority| Issue { title: String::new(), priority }).collect()
}

fn main() {}
