use fastmcp_rs::prelude::*;

/// Returns the unit.
#[mcp::tool]
fn unit(#[arg(rename = "unit")] State(unit): State<String>) -> String {
    unit.to_string()
}

fn main() {}
