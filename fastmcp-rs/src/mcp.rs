//! The macros: `#[mcp::tool]`, `#[mcp::model]` and `#[mcp::main]`.

pub use fastmcp_rs_macros::{main, model, tool};
