//! Looking up, listing and creating orders.

use fastmcp_rs::prelude::*;

use super::find;
use crate::database::{NewOrder, OrderLine, OrderRow, Orders};

/// Retrieves full details for a specific order by ID.
///
/// Use this when the user provides a specific order reference (e.g., ORD-101).
#[mcp::tool(read_only)]
async fn get_order_details(
    /// The order reference, e.g. `ORD-101`.
    order_id: &str,
    orders: State<Orders>,
) -> Result<String, ToolError> {
    Ok(find(&orders, order_id).await?.to_string())
}

/// Lists the orders that have a given status, sorted by order ID.
///
/// Use this when the user asks about a group of orders rather than a single order (e.g., "which
/// orders have shipped?"). The list is empty when no order has that status.
#[mcp::tool(read_only)]
async fn list_orders_by_status(
    /// PROCESSING, SHIPPED, DELIVERED or CANCELLED, in upper or lower case.
    status: &str,
    /// The maximum number of orders.
    #[arg(default = 50, min = 1, max = 500)]
    limit: u32,
    orders: State<Orders>,
) -> Result<Vec<OrderSummary>, ToolError> {
    let orders = orders.with_status(status.trim(), limit).await?;
    Ok(orders.into_iter().map(OrderSummary::from).collect())
}

/// Creates an order with the status PROCESSING.
///
/// Use this when the user wants to order something and has given the customer, the products, the
/// quantities and the prices. Ask for missing details; do not make them up.
#[mcp::tool(destructive = false)]
async fn create_order(
    /// The customer's e-mail address.
    #[arg(max_length = 254, pattern = r"^[^@\s]+@[^@\s]+$", example = "alice@example.com")]
    customer_email: &str,
    /// The products, one line each.
    #[arg(min_length = 1, max_length = 100)]
    lines: &[OrderLine],
    /// Whether the order can be refunded.
    #[arg(default = true)]
    is_refundable: bool,
    /// A unique text, such as a UUID. Repeating the call with the same key returns the existing order
    /// instead of creating another one.
    #[arg(min_length = 1, max_length = 100)]
    idempotency_key: Option<&str>,
    orders: State<Orders>,
) -> Result<CreatedOrder, ToolError> {
    let new = NewOrder { customer_email, lines, is_refundable, idempotency_key };
    let (order_id, created) = orders.create(&new).await?;
    let order = orders.find(&order_id).await?.filter(|order| created || new.is_like(order));
    let Some(order) = order else {
        return Err(ToolError::new(format!(
            "The idempotency key belongs to {order_id}, which is another order or was removed. \
             Nothing was created. Use another key."
        )));
    };
    Ok(CreatedOrder { total_cents: order.total_cents(), order_id, status: order.status, created })
}

/// One order in a list.
#[mcp::model]
struct OrderSummary {
    /// The order reference.
    id: String,
    /// The total in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<f64>,
    /// The customer's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The reason why the other fields are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl From<OrderRow> for OrderSummary {
    fn from(row: OrderRow) -> Self {
        match row.problem() {
            None => Self {
                id: row.order.order_id,
                amount: Some(row.order.total_amount),
                email: Some(row.order.customer_email),
                problem: None,
            },
            problem => Self { id: row.order.order_id, amount: None, email: None, problem },
        }
    }
}

/// An order that was created by this call, or by an earlier one with the same key.
#[mcp::model]
struct CreatedOrder {
    order_id: String,
    status: String,
    /// The sum of all lines, in US cents.
    total_cents: i64,
    /// Whether this call created it.
    created: bool,
}
