use fastmcp_rs::mcp;

/// Reviews.
#[mcp::prompt(titel = "Review", mime_type = "text/plain")]
fn review() -> String {
    String::new()
}

fn main() {}
