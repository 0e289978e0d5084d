use fastmcp_rs::prelude::*;

#[derive(Debug, thiserror::Error, mcp::ToolError)]
#[mcp(visible = "It failed.")]
enum Failure {
    #[error("There is no such order.")]
    NotFound,
}

fn main() {}
