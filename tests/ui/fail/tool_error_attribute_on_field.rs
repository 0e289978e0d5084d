use fastmcp_rs::prelude::*;

#[derive(Debug, thiserror::Error, mcp::ToolError)]
#[error("There is no order {id}.")]
struct NotFound {
    #[mcp(visible)]
    id: String,
}

fn main() {}
