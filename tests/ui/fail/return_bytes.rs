use std::borrow::Cow;

use fastmcp_rs::prelude::*;

/// Draws.
#[mcp::tool]
fn draw() -> Vec<u8> {
    Vec::new()
}

/// Draws now and then.
#[mcp::tool]
async fn draw_maybe() -> Result<Option<Vec<u8>>, ToolError> {
    Ok(None)
}

/// Shows what it was given.
#[mcp::tool]
fn borrow(text: &str) -> &[u8] {
    text.as_bytes()
}

/// Shows what it was given, or nothing.
#[mcp::tool]
fn borrow_maybe(text: &str) -> Option<Cow<'_, [u8]>> {
    Some(Cow::Borrowed(text.as_bytes()))
}

/// Computes a checksum.
#[mcp::tool]
fn checksum() -> Result<[u8; 32], ToolError> {
    Ok([0; 32])
}

/// Draws several.
#[mcp::tool]
fn draw_all() -> Vec<Vec<u8>> {
    Vec::new()
}

fn main() {}
