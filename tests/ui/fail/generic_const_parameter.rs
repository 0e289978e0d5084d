use fastmcp_rs::mcp;

/// Adds the numbers.
#[mcp::tool]
fn sum<const N: usize>(numbers: [i32; N]) -> i32 {
    numbers.iter().sum()
}

fn main() {}
