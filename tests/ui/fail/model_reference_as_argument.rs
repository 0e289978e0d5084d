use fastmcp_rs::mcp;

#[mcp::model]
struct Report {
    title: &'static str,
}

/// Shows a report.
#[mcp::tool]
async fn show(report: Report) -> usize {
    report.title.len()
}

fn main() {}
