use fastmcp_rs::prelude::*;

#[derive(Debug, thiserror::Error, mcp::ToolError)]
enum Failure {
    #[error("There is no such order.")]
    #[mcp(visble)]
    NotFound,
    #[error("the database is gone")]
    #[mcp(internal)]
    Database,
}

fn main() {}
