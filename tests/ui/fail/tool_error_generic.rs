use fastmcp_rs::prelude::*;

#[derive(Debug, thiserror::Error, mcp::ToolError)]
enum Failure<T> {
    #[error("There is no such order.")]
    #[mcp(visible)]
    NotFound(T),
}

fn main() {}
