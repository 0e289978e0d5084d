//! Arguments are lent to functions that take references of any kind.

use std::borrow::Cow;
use std::collections::HashMap;

use fastmcp_rs::{Context, mcp};

#[mcp::model]
#[derive(Clone)]
struct Order {
    id: String,
}

/// Takes all kinds.
#[mcp::tool]
#[allow(clippy::too_many_arguments)]
async fn lend(
    text: &str,
    owned: &String,
    list: &[Order],
    vector: &Vec<u8>,
    order: &Order,
    map: &HashMap<String, Order>,
    number: &u32,
    context: &Context,
) -> usize {
    let _ = context;
    std::future::ready(()).await;
    text.len() + owned.len() + list.len() + vector.len() + order.id.len() + map.len() + *number as usize
}

/// Takes what may be missing.
#[mcp::tool]
fn lend_options(text: Option<&str>, list: Option<&[Order]>, order: Option<&Order>, optional: &Option<String>) -> usize {
    text.map_or(0, str::len)
        + list.map_or(0, <[Order]>::len)
        + order.map_or(0, |order| order.id.len())
        + optional.as_deref().map_or(0, str::len)
}

/// Takes copies on write.
#[mcp::tool(inline)]
fn lend_cow(mut text: Cow<'_, str>, list: &[Cow<'_, str>]) -> usize {
    text.to_mut().push('!');
    text.len() + list.len()
}

/// Takes an argument that is called as an injected one is here.
#[mcp::tool]
fn lend_name(#[arg(rename = "context")] text: &str, context: &Context) -> usize {
    let _ = context;
    text.len()
}

/// Takes it where waiting is fine.
#[mcp::tool(blocking)]
async fn lend_blocking(text: &str) -> usize {
    text.len()
}

fn main() {
    assert_eq!(lend_options(Some("abc"), None, None, &None), 3);
}
