//! Middleware: code around every operation. Three built-in layers, and one custom layer.
//!
//! ```sh
//! cargo run --features logging --example middleware
//! ```

use std::sync::atomic::{AtomicBool, Ordering};

use fastmcp_rs::middleware::{
    Layer, Method, Next, Operation, OperationError, RateLimit, Response, ResultSizeLimit, StructuredLogging,
};
use fastmcp_rs::prelude::*;

/// Whether the shop is closed for maintenance.
#[derive(Default)]
struct Maintenance(AtomicBool);

/// Repeats a text.
#[mcp::tool(read_only)]
async fn repeat(text: &str, #[arg(min = 1, max = 1_000_000)] times: usize) -> String {
    text.repeat(times)
}

/// Closes the shop for maintenance, or opens it again.
#[mcp::tool]
async fn set_maintenance(on: bool, maintenance: State<Maintenance>) -> &'static str {
    maintenance.0.store(on, Ordering::Relaxed);
    if on { "closed" } else { "open" }
}

/// Rejects tool calls while the shop is closed.
struct OpeningHours;

impl Layer for OpeningHours {
    async fn handle(&self, operation: Operation, next: Next) -> Result<Response, OperationError> {
        let maintenance = operation.context().state::<Maintenance>();
        let is_closed = maintenance.is_some_and(|maintenance| maintenance.0.load(Ordering::Relaxed));
        if is_closed && operation.method() == Method::CallTool && operation.name() != "set_maintenance" {
            return Err(ToolError::new("The shop is closed for maintenance: try again in an hour.").into());
        }
        next.run(operation).await
    }
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    fastmcp_rs::logging::init();
    App::new("shop")
        .state(Maintenance::default())
        // The first layer is the outermost: it also logs operations that the others reject.
        .layer(StructuredLogging::new())
        .layer(RateLimit::per_minute(60.0).burst(10).component("set_maintenance", RateLimit::per_minute(2.0)))
        .layer(OpeningHours)
        .layer(ResultSizeLimit::bytes(10_000))
        .run_stdio()
        .await
}
