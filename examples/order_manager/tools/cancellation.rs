//! A tool that asks the user before it makes an irreversible change.

use fastmcp_rs::prelude::*;

use super::status::StatusChange;
use super::{find, tell_watchers};
use crate::database::{Orders, Status};
use crate::one_line::OneLine;

/// Cancels an order that is still PROCESSING, if the user confirms it.
///
/// Use this when the user wants to cancel an order. The tool asks the user for confirmation, so do not ask
/// first. A cancelled order cannot be restored.
#[mcp::tool(destructive, idempotent)]
async fn cancel_order(
    /// The order reference, e.g. `ORD-101`.
    order_id: &str,
    orders: State<Orders>,
    ctx: &Context,
) -> Result<StatusChange, ToolError> {
    // Nothing is written before the answer: a client of 2026-07-28 does not wait in the call, it repeats the call
    // with the answer, and the function runs again from here.
    let order = find(&orders, order_id).await?;
    if !order.may_become(Status::Cancelled) {
        return StatusChange::of(order, Status::Cancelled, false);
    }
    let customer = OneLine(&order.customer_email);
    let question = format!("Cancel order {} of {customer} over ${:.2}?", OneLine(order_id), order.total_amount);
    let reason = match ctx.elicit::<Confirmation>(question).await {
        Ok(ElicitationResult::Accepted(Confirmation { confirm: true, reason })) => reason,
        Ok(ElicitationResult::Accepted(_) | ElicitationResult::Declined) => {
            return Ok(StatusChange::none(order, "the user declined."));
        }
        Ok(ElicitationResult::Cancelled) => return Ok(StatusChange::none(order, "the user dismissed the question.")),
        Err(ClientRequestError::Unsupported { .. }) => return Err(cannot_ask(order_id)),
        Err(error) => return Err(error.into()),
    };
    // Many clients send an empty string for an empty field.
    let reason = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    // Exactly one call finds an order to cancel, regardless of how often a client sends the answer, and of changes
    // to the order while the user was deciding.
    let changed = orders.cancel(order_id, reason).await?;
    if changed {
        tell_watchers(ctx, order_id);
    }
    StatusChange::of(find(&orders, order_id).await?, Status::Cancelled, changed)
}

/// The confirmation of a cancellation.
#[mcp::model]
struct Confirmation {
    /// Whether to cancel the order.
    confirm: bool,
    /// The reason, for the notes on the order.
    #[arg(max_length = 500)]
    reason: Option<String>,
}

fn cannot_ask(order_id: &str) -> ToolError {
    ToolError::new(format!(
        "{} was not cancelled: the user must confirm it, and this client does not support elicitation. \
         Tell the user to cancel the order from a client that does.",
        OneLine(order_id)
    ))
}
