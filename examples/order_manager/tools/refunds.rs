//! Whether money can go back.

use fastmcp_rs::prelude::*;

use super::find;
use crate::database::{Order, Orders};

/// Tells whether an order can be refunded, and why or why not.
///
/// Use this before promising a refund to anyone. It only looks: nothing is refunded.
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
    /// Why, in a sentence for the customer.
    reason: String,
}

impl From<Order> for RefundEligibility {
    fn from(order: Order) -> Self {
        let reason = if order.is_refundable {
            format!("The order is {} and its ${:.2} can be refunded.", order.status, order.total_amount)
        } else {
            format!("The order is {} and marked as not refundable.", order.status)
        };
        Self { order_id: order.order_id, eligible: order.is_refundable, reason }
    }
}
