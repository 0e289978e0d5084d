use std::collections::HashMap;

use fastmcp_rs::mcp;

struct Line {
    sku: String,
}

#[mcp::model]
struct Order {
    #[arg(min_length = 1)]
    lines: Option<HashMap<String, Vec<Line>>>,
}

fn main() {}
