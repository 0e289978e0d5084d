//! Only imported names are in scope: the expansion names everything by absolute paths.
#![no_implicit_prelude]

use ::core::option::Option;
use ::core::result::Result;
use ::fastmcp_rs::{CompletionRequest, Context, State, ToolError, mcp};
use ::std::string::String;
use ::std::vec::Vec;

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

fn names(completing: CompletionRequest, state: State<u8>) -> Vec<String> {
    let _ = (completing, state);
    Vec::new()
}

/// The settings of somebody.
#[mcp::resource("config://{who}{?times}", priority = 0.5, audience = ["user"], allow_traversal = ["who"])]
async fn config(
    #[arg(min_length = 1, complete = names)] who: &str,
    #[arg(default = 1, min = 1)] times: u32,
    context: &Context,
) -> Result<Option<String>, ToolError> {
    let _ = (times, context);
    Result::Ok(Option::Some(::std::string::ToString::to_string(who)))
}

/// The settings of all.
#[mcp::resource("config://all", size = 3)]
fn all() -> &'static [u8] {
    b"all"
}

/// Greets.
#[mcp::prompt(title = "Greet")]
fn greeting(#[arg(complete = names)] who: &str, #[arg(default = 1)] times: u32, state: State<u8>) -> &str {
    let _ = (times, state);
    who
}

#[mcp::model]
struct Service(u8);

#[mcp::server]
impl Service {
    /// Shows a number.
    #[tool]
    async fn number(&self, #[arg(min = 1)] more: Option<u8>) -> Result<Option<Self>, ToolError> {
        Result::Ok(more.map(|more| Service(self.0 + more)))
    }

    /// Blocks.
    #[tool]
    fn same(&self) -> u8 {
        self.0
    }

    /// Reads.
    #[resource("service://{id}")]
    fn read(&self, #[arg(complete = Self::ids)] id: &str) -> String {
        ::std::string::ToString::to_string(id)
    }

    /// Asks.
    #[prompt]
    fn ask(&self) -> &'static str {
        "why?"
    }

    fn ids(_: CompletionRequest, _: State<Self>) -> Vec<String> {
        Vec::new()
    }
}

#[mcp::main]
async fn main() {}
