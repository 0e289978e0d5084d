//! Status changes of an order, and error messages for changes that are not allowed.

use fastmcp_rs::prelude::*;

use super::{find, tell_watchers};
use crate::database::{Order, Orders, Status};
use crate::one_line::OneLine;

/// Advances the status of an order: from PROCESSING to SHIPPED, or from SHIPPED to DELIVERED.
///
/// Use this when the user says that an order was handed to the carrier, or that it has arrived. The change
/// cannot be undone. An order that already has the status is not changed.
#[mcp::tool(idempotent)]
async fn update_order_status(
    /// The order reference, e.g. `ORD-101`.
    order_id: &str,
    /// The new status. To cancel an order, use cancel_order.
    status: Status,
    orders: State<Orders>,
    ctx: &Context,
) -> Result<StatusChange, ToolError> {
    if status == Status::Cancelled {
        return Err(ToolError::new("To cancel an order, use cancel_order, which asks the user for confirmation."));
    }
    // An order with a damaged row stays unchanged.
    find(&orders, order_id).await?;
    let changed = orders.set_status(order_id, status).await?;
    if changed {
        tell_watchers(ctx, order_id);
    }
    StatusChange::of(find(&orders, order_id).await?, status, changed)
}

/// The result of a status change.
#[mcp::model]
pub struct StatusChange {
    order_id: String,
    /// The current status of the order.
    status: String,
    /// Whether this call changed it.
    changed: bool,
    /// The result in words, with the reason if nothing was changed.
    message: String,
}

impl StatusChange {
    /// Describes the result of a status change. An order that had the status already is a success, too.
    pub fn of(order: Order, wanted: Status, changed: bool) -> Result<Self, ToolError> {
        if !changed && order.known_status() == Some(wanted) {
            return Ok(Self::none(order, "it already had this status."));
        }
        if !changed {
            return Err(cannot_become(&order, wanted));
        }
        let message = format!("{} is {} now.", OneLine(&order.order_id), OneLine(&order.status));
        Ok(Self { order_id: order.order_id, status: order.status, changed, message })
    }

    pub fn none(order: Order, why: &str) -> Self {
        let (order_id, status) = (OneLine(&order.order_id), OneLine(&order.status));
        let message = format!("{order_id} is {status}, and nothing was changed: {why}");
        Self { order_id: order.order_id, status: order.status, changed: false, message }
    }
}

/// Builds an error that lists the allowed next statuses of an order for the model.
fn cannot_become(order: &Order, wanted: Status) -> ToolError {
    let (order_id, status) = (OneLine(&order.order_id), OneLine(&order.status));
    let next = order.known_status().map(Status::next).unwrap_or_default();
    let next: Vec<&str> = next.iter().map(Status::as_str).collect();
    let open = if next.is_empty() {
        "its status is final".to_owned()
    } else {
        format!("the next status is {}", next.join(" or "))
    };
    ToolError::new(format!("{order_id} is {status} and cannot become {wanted}: {open}. Nothing was changed."))
}
