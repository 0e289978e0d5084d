use fastmcp_rs::mcp;

#[mcp::model]
struct Point {
    x: f64,
    y: f64,
}

/// Measures the distance from the origin.
#[mcp::tool]
fn distance(Point { x, y }: Point) -> f64 {
    x.hypot(y)
}

fn main() {}
