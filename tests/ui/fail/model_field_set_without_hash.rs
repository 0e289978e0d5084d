use std::collections::HashSet;

use fastmcp_rs::mcp;

#[mcp::model]
struct Tag {
    name: String,
}

#[mcp::model]
struct Order {
    tags: HashSet<Tag>,
}

fn main() {}
