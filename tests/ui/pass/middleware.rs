//! Middleware of one component, in every form.

#![deny(warnings)]

use fastmcp_rs::middleware::{self, Next, Operation, RateLimit, Timing};
use fastmcp_rs::prelude::*;

const PER_SECOND: f64 = 10.0;

/// Counts the orders.
#[mcp::tool(middleware = RateLimit::per_second(PER_SECOND))]
fn count() -> u32 {
    3
}

/// The rules.
#[mcp::resource("orders://rules", middleware = [Timing::new(), RateLimit::per_minute(6.0).burst(2)])]
fn rules() -> &'static str {
    "Within 14 days."
}

/// Reviews an order.
#[mcp::prompt(title = "Review", middleware = middleware::from_fn(|operation: Operation, next: Next| async move {
    next.run(operation).await
}), timeout = "5s")]
fn review() -> &'static str {
    "Review it."
}

struct Desk;

#[mcp::server]
impl Desk {
    fn timing() -> Timing {
        Timing::new()
    }

    /// Counts the desks.
    #[tool(middleware = Self::timing())]
    fn desks(&self) -> u32 {
        1
    }
}

fn main() {
    App::new("orders").state(Desk).check().unwrap();
}
