//! The tools of the server.

mod cancellation;
mod external;
mod notes;
mod orders;
mod refunds;
mod status;

use fastmcp_rs::prelude::*;

use crate::database::{Order, Orders};
use crate::one_line::OneLine;

/// Finds the order with that ID, or returns an error that tells the model what to do next.
pub async fn find(orders: &Orders, order_id: &str) -> Result<Order, ToolError> {
    orders.find(order_id).await?.ok_or_else(|| not_found(order_id))
}

/// Notifies clients that subscribed to an order of a change.
fn tell_watchers(ctx: &Context, order_id: &str) {
    ctx.notify_resource_updated(format!("orders://{order_id}"));
}

fn not_found(order_id: &str) -> ToolError {
    ToolError::new(format!("Order {} was not found: check the reference (e.g., ORD-101).", OneLine(order_id)))
}
