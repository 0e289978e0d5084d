use fastmcp_rs::prelude::*;

/// The most orders of a page.
#[mcp::tool]
const LIMIT: u32 = 100;

fn main() {}
