use fastmcp_rs::prelude::*;

#[derive(mcp::ToolError)]
fn fail() {}

fn main() {}
