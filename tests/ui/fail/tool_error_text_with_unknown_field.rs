use fastmcp_rs::prelude::*;

#[derive(Debug, thiserror::Error, mcp::ToolError)]
enum Failure {
    #[error("not found")]
    #[mcp(visible = "There is no order {idd}.")]
    NotFound { id: String },
}

fn main() {}
