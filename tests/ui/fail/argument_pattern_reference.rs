use fastmcp_rs::prelude::*;

#[mcp::model]
struct Point {
    x: f64,
}

/// Measures the distance from the origin.
#[mcp::resource("points://distance")]
fn distance(&Point { x }: &Point, State(unit): State<String>) -> String {
    format!("{x} {unit}")
}

fn main() {}
