use fastmcp_rs::mcp;

/// Reviews.
#[mcp::prompt]
fn review<T: ToString>(id: T) -> String {
    id.to_string()
}

fn main() {}
