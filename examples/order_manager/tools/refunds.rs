//! Refunds: whether an order can be refunded.

use fastmcp_rs::prelude::*;

use super::find;
use crate::database::{Order, Orders};
use crate::one_line::OneLine;

/// Checks whether an order can be refunded, and gives the reason.
///
/// Use this before promising a refund. It does not refund anything.
#[mcp::tool(read_only)]
async fn check_refund_eligibility(
    /// The order reference, e.g. `ORD-101`.
    order_id: &str,
    orders: State<Orders>,
) -> Result<RefundEligibility, ToolError> {
    Ok(find(&orders, order_id).await?.into())
}

/// Whether an order can be refunded.
#[mcp::model]
struct RefundEligibility {
    /// The order reference.
    order_id: String,
    /// Whether a refund is possible.
    eligible: bool,
    /// The reason, in a sentence for the customer.
    reason: String,
}

impl From<Order> for RefundEligibility {
    fn from(order: Order) -> Self {
        let status = OneLine(&order.status);
        let reason = if order.is_refundable {
            format!("The order is {status} and its ${:.2} can be refunded.", order.total_amount)
        } else {
            format!("The order is {status} and marked as not refundable.")
        };
        Self { order_id: order.order_id, eligible: order.is_refundable, reason }
    }
}
