use fastmcp_rs::prelude::*;

#[mcp::tool]
mod tools {}

fn main() {}
