use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("orders://{year}{number}")]
fn order(year: u16, number: u32) -> String {
    format!("{year} {number}")
}

fn main() {}
