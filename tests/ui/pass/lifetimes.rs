//! Results may borrow from the arguments.

use std::borrow::Cow;

use fastmcp_rs::{ToolError, mcp};

/// Trims.
#[mcp::tool(inline)]
fn trim<'a>(text: &'a str) -> &'a str {
    text.trim()
}

/// Trims, elided.
#[mcp::tool]
fn trim_elided(text: &str) -> &str {
    text.trim()
}

/// Trims later.
#[mcp::tool]
async fn trim_later<'a, 'b: 'a>(text: &'a str, other: Option<&'b str>) -> Option<&'a str>
where
    'b: 'a,
{
    other.or(Some(text.trim()))
}

/// Trims if there is something.
#[mcp::tool]
async fn trim_some(text: &str) -> Result<Cow<'_, str>, ToolError> {
    match text.trim() {
        "" => Err(ToolError::new("nothing there")),
        trimmed => Ok(Cow::Borrowed(trimmed)),
    }
}

/// Trims where waiting is fine.
#[mcp::tool(blocking)]
async fn trim_blocking(text: &str) -> Result<&str, ToolError> {
    Ok(text.trim())
}

/// Splits.
#[mcp::tool]
async fn split(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// Says the same always.
#[mcp::tool]
fn constant() -> &'static str {
    "constant"
}

fn main() {
    assert_eq!(trim(" a "), trim_elided(" a "));
}
