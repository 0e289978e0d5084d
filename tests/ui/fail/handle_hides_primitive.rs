use fastmcp_rs::mcp;

/// Turns a number into text.
#[mcp::tool]
fn str(number: u8) -> String {
    number.to_string()
}

fn main() {}
