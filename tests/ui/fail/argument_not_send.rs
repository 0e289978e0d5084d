use std::rc::Rc;

use fastmcp_rs::mcp;

/// Counts.
#[mcp::tool]
fn count(text: Rc<str>) -> usize {
    text.len()
}

fn main() {}
