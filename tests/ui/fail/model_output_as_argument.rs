use fastmcp_rs::mcp;

#[mcp::model(output)]
struct Report {
    title: String,
}

/// Shows reports.
#[mcp::tool]
async fn show(reports: Vec<Report>) -> usize {
    reports.into_iter().map(|report| report.title.len()).sum()
}

fn main() {}
