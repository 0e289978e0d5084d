use fastmcp_rs::mcp;

/// Adds a note.
#[mcp::tool]
async fn add(note: String, _note: String) -> String {
    note
}

fn main() {}
