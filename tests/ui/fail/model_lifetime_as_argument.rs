use fastmcp_rs::mcp;

#[mcp::model]
struct Report<'a> {
    title: &'a str,
}

/// Shows a report.
#[mcp::tool]
async fn show(report: &Report<'_>) -> usize {
    report.title.len()
}

fn main() {}
