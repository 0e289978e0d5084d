//! An order desk for AI assistants: tools, resources and a prompt over a SQLite database.
//!
//! ```sh
//! cargo run --example order_manager
//! ```
//!
//! The first start creates `orders.db` in the current directory and puts four orders into it; set
//! `DATABASE_URL` to keep it elsewhere. What clients see is here, the SQL is in `database.rs`.

mod database;

use std::time::Duration;

use fastmcp_rs::Completing;
use fastmcp_rs::prelude::*;

use database::{Order, Orders};

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
/// Use this when the user asks about a group of orders rather than about one of them (e.g., "which
/// orders have shipped?"). The list is empty when no order has that status.
#[mcp::tool(read_only)]
async fn list_orders_by_status(
    /// PROCESSING, SHIPPED, DELIVERED or CANCELLED, in upper or lower case.
    status: &str,
    orders: State<Orders>,
) -> Result<Vec<OrderSummary>, ToolError> {
    let orders = orders.with_status(status.trim()).await?;
    Ok(orders.into_iter().map(OrderSummary::from).collect())
}

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

/// Fetches data about a topic from an external service, which takes about a second.
///
/// Use this when the answer is not in the order database. Other calls go on meanwhile.
#[mcp::tool(read_only, open_world)]
async fn fetch_external_data(
    /// What to look for, in plain words.
    query: &str,
) -> String {
    // It stands for a slow service. Awaiting gives the thread back, so no other call waits for this one.
    tokio::time::sleep(Duration::from_secs(1)).await;
    format!("External data for: {query}")
}

/// The table that holds the orders, as SQL.
#[mcp::resource("orders://schema", mime_type = "application/sql")]
async fn orders_schema(orders: State<Orders>) -> Result<String, ToolError> {
    orders.schema().await
}

/// One order, as JSON.
#[mcp::resource("orders://{order_id}")]
async fn order(
    /// The order reference, e.g. `ORD-101`.
    #[arg(complete = order_ids)]
    order_id: &str,
    orders: State<Orders>,
) -> Result<Option<Order>, ToolError> {
    orders.find(order_id).await
}

/// Reviews whether an order should be refunded.
#[mcp::prompt(title = "Review a refund")]
async fn refund_review(
    /// The order reference, e.g. `ORD-101`.
    #[arg(complete = order_ids)]
    order_id: &str,
    orders: State<Orders>,
) -> Result<String, ToolError> {
    let order = find(&orders, order_id).await?;
    Ok(format!(
        "Should this order be refunded?\n\n{order}\n\n\
         Check whether it can be, weigh its status and its total, and say yes or no. \
         Then write two sentences to the customer."
    ))
}

/// Suggests order references while a person types one.
async fn order_ids(completing: Completing, orders: State<Orders>) -> Result<Vec<String>, ToolError> {
    orders.ids_like(completing.text()).await
}

/// One order in a list.
#[mcp::model]
struct OrderSummary {
    /// The order reference.
    id: String,
    /// The total in US dollars.
    amount: f64,
    /// The customer's e-mail address.
    email: String,
}

impl From<Order> for OrderSummary {
    fn from(order: Order) -> Self {
        Self { id: order.order_id, amount: order.total_amount, email: order.customer_email }
    }
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

/// The order with that ID, or an error that tells the model what to do next.
async fn find(orders: &Orders, order_id: &str) -> Result<Order, ToolError> {
    orders
        .find(order_id)
        .await?
        .ok_or_else(|| ToolError::new(format!("Order {order_id} was not found: check the reference (e.g., ORD-101).")))
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    let orders = Orders::open().await.map_err(fastmcp_rs::Error::other)?;
    App::new("OrderManager").state(orders).run_stdio().await
}
