//! Nothing in scope but what the file imports: the expansion names everything by absolute paths.
#![no_implicit_prelude]

use ::core::option::Option;
use ::core::result::Result;
use ::fastmcp_rs::{Context, State, ToolError, mcp};
use ::std::string::String;

/// Greets.
#[mcp::tool(title = "Greet", read_only, tags = ["people"], timeout = "1s", meta = { "n": 1 })]
async fn greet(
    /// Who.
    #[arg(min_length = 1, default = "you", example = "Ada", header = "Who")]
    name: &str,
    #[arg(min = 1, max = 3)] times: Option<u32>,
    nick: Option<&str>,
    context: &Context,
    state: State<u8>,
) -> Result<String, ToolError> {
    let _ = (times, nick, context, state);
    Result::Ok(::std::string::ToString::to_string(name))
}

/// Adds.
#[mcp::tool]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Adds at once.
#[mcp::tool(inline)]
fn add_inline(a: i64, b: i64) -> i64 {
    a + b
}

/// Waits.
#[mcp::tool(blocking)]
async fn wait() {}

#[mcp::main]
async fn main() {}
