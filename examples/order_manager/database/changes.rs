//! Creation and status changes of orders.
//!
//! A status change includes the previous status in its `WHERE` clause. Of several concurrent calls, one finds a row to
//! change and the others find none, without any lock.

use fastmcp_rs::prelude::*;
use sqlx::SqliteConnection;

use super::{NewOrder, Orders, Status, for_the_model, notes};

impl Orders {
    /// Creates an order, and returns its reference and `true`. If an order with the same key exists, returns its
    /// reference and `false`.
    pub async fn create(&self, order: &NewOrder<'_>) -> Result<(String, bool), ToolError> {
        self.try_create(order).await.map_err(for_the_model)
    }

    async fn try_create(&self, order: &NewOrder<'_>) -> Result<(String, bool), sqlx::Error> {
        let mut writing = self.write().await?;
        let earlier = "SELECT 'ORD-' || number FROM order_numbers WHERE idempotency_key = ?";
        let earlier = sqlx::query_scalar(earlier).bind(order.idempotency_key);
        if let Some(order_id) = earlier.fetch_optional(&mut *writing).await? {
            return Ok((order_id, false));
        }
        // The number is larger than all numbers assigned here, and than those of orders from other sources, unless
        // these have more than twelve digits: then it is any free number.
        let order_id: String = sqlx::query_scalar(
            "INSERT INTO order_numbers (number, idempotency_key)
             WITH RECURSIVE next (number) AS (
                 SELECT 1 + max(100,
                                (SELECT coalesce(max(number), 0) FROM order_numbers WHERE number < 1000000000000),
                                (SELECT coalesce(max(CAST(substr(order_id, 5) AS INTEGER)), 0) FROM orders
                                 WHERE order_id GLOB 'ORD-[0-9]*' AND length(order_id) <= length('ORD-') + 12))
                 UNION ALL
                 SELECT number + 1 FROM next
                 WHERE EXISTS (SELECT 1 FROM orders WHERE order_id = 'ORD-' || next.number)
                    OR EXISTS (SELECT 1 FROM order_numbers WHERE order_numbers.number = next.number)
             )
             SELECT max(number), ? FROM next
             RETURNING 'ORD-' || number",
        )
        .bind(order.idempotency_key)
        .fetch_one(&mut *writing)
        .await?;
        sqlx::query(
            "INSERT INTO orders (order_id, customer_email, status, total_amount, is_refundable)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(&order_id)
        .bind(order.customer_email)
        .bind(Status::Processing.as_str())
        .bind(order.total_amount())
        .bind(order.is_refundable)
        .execute(&mut *writing)
        .await?;
        for (position, line) in (1_i64..).zip(order.lines) {
            sqlx::query(
                "INSERT INTO order_lines (order_id, position, product, quantity, unit_price_cents)
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(&order_id)
            .bind(position)
            .bind(&line.product)
            .bind(line.quantity)
            .bind(line.unit_price_cents)
            .execute(&mut *writing)
            .await?;
        }
        writing.commit().await?;
        Ok((order_id, true))
    }

    /// Sets the next status of an order, and returns whether this call changed it.
    pub async fn set_status(&self, order_id: &str, status: Status) -> Result<bool, ToolError> {
        let change = async {
            let mut writing = self.write().await?;
            let is_changed = set_status(&mut writing, order_id, status).await?;
            writing.commit().await?;
            Ok(is_changed)
        };
        change.await.map_err(for_the_model)
    }

    /// Cancels an order if its status allows it, notes the reason, and returns whether this call cancelled it.
    pub async fn cancel(&self, order_id: &str, reason: Option<&str>) -> Result<bool, ToolError> {
        let change = async {
            let mut writing = self.write().await?;
            let is_changed = set_status(&mut writing, order_id, Status::Cancelled).await?;
            if let (true, Some(reason)) = (is_changed, reason) {
                notes::add(&mut writing, order_id, &format!("Cancelled: {reason}")).await?;
            }
            writing.commit().await?;
            Ok(is_changed)
        };
        change.await.map_err(for_the_model)
    }
}

async fn set_status(writing: &mut SqliteConnection, order_id: &str, status: Status) -> Result<bool, sqlx::Error> {
    let Some(previous) = status.previous() else { return Ok(false) };
    let change = "UPDATE orders SET status = ? WHERE order_id = ? AND status = ? COLLATE NOCASE";
    let change = sqlx::query(change).bind(status.as_str()).bind(order_id).bind(previous.as_str());
    Ok(change.execute(writing).await?.rows_affected() == 1)
}
