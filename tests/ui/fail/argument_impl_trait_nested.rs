use fastmcp_rs::mcp;

/// Joins.
#[mcp::tool]
fn join(words: Vec<impl ToString>) -> String {
    words.iter().map(ToString::to_string).collect()
}

fn main() {}
