use fastmcp_rs::mcp;

/// Reviews.
#[mcp::prompt]
fn review((id, urgent): (String, bool)) -> String {
    format!("{id} {urgent}")
}

fn main() {}
