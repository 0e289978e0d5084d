use fastmcp_rs::mcp;

/// Joins.
#[mcp::tool]
fn join(words: Vec<&str>) -> String {
    words.concat()
}

fn main() {}
