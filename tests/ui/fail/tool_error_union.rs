use fastmcp_rs::prelude::*;

#[derive(mcp::ToolError)]
union Failure {
    code: u8,
}

fn main() {}
