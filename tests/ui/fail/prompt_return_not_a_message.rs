use fastmcp_rs::mcp;

#[mcp::model]
struct Review {
    text: String,
}

/// Reviews.
#[mcp::prompt]
fn review() -> Review {
    Review { text: String::new() }
}

/// Counts.
#[mcp::prompt]
fn count() -> Result<Option<u32>, std::io::Error> {
    Ok(None)
}

fn main() {}
