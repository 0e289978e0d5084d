//! The components of the observed servers.

use std::time::Duration;

use fastmcp_rs::prelude::*;

/// Adds two numbers.
#[mcp::tool]
pub async fn add(a: i64, b: i64) -> i64 {
    tracing::info!("adding");
    a + b
}

/// Adds two numbers, a little later.
#[mcp::tool]
pub async fn add_later(a: i64, b: i64) -> i64 {
    tokio::time::sleep(Duration::from_millis(5)).await;
    tracing::info!("adding later");
    a + b
}

/// Adds two numbers on a thread of its own.
#[mcp::tool]
pub fn add_elsewhere(a: i64, b: i64) -> i64 {
    tracing::info!("adding elsewhere");
    a + b
}

/// Refuses.
#[mcp::tool]
pub async fn refuse() -> Result<String, ToolError> {
    Err(ToolError::new("no, and the secret is hunter2"))
}

/// Panics.
#[mcp::tool]
pub async fn panic() -> String {
    panic!("on purpose")
}

/// Never ends.
#[mcp::tool]
pub async fn hang() -> String {
    std::future::pending().await
}

/// Tells what trace it belongs to.
#[mcp::tool]
pub async fn trace(ctx: &Context) -> String {
    format!("{:?}", ctx.trace_context())
}

/// An order.
#[mcp::resource("orders://{id}")]
pub async fn order(id: String) -> String {
    tracing::info!("reading");
    id
}

/// The articles for sale.
#[mcp::resource("shop://goods")]
pub async fn goods() -> String {
    "pears".into()
}

/// Asks for a poem.
#[mcp::prompt]
pub async fn poem(about: String) -> String {
    format!("A poem about {about}, please.")
}

pub fn app(name: &str) -> App {
    App::empty(name)
        .tool::<add>()
        .tool::<add_later>()
        .tool::<add_elsewhere>()
        .tool::<refuse>()
        .tool::<panic>()
        .tool::<hang>()
        .tool::<trace>()
        .resource::<order>()
        .resource::<goods>()
        .prompt::<poem>()
}
