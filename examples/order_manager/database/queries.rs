//! Queries of orders.

use fastmcp_rs::prelude::*;

use super::{Order, OrderRow, Orders, for_the_model, notes};

/// The maximum number of suggested order references, because more would not be read.
const MAX_IDS: u32 = 1000;

impl Orders {
    /// Finds one order by its reference.
    pub async fn find(&self, order_id: &str) -> Result<Option<Order>, ToolError> {
        let row = self.try_find(order_id).await.map_err(for_the_model)?;
        row.map(OrderRow::into_order).transpose()
    }

    async fn try_find(&self, order_id: &str) -> Result<Option<OrderRow>, sqlx::Error> {
        // One transaction, so that the three queries see the same snapshot.
        let mut reading = self.reader.begin().await?;
        let order = sqlx::query_as("SELECT * FROM orders WHERE order_id = ?");
        let row: Option<OrderRow> = order.bind(order_id).fetch_optional(&mut *reading).await?;
        let Some(mut row) = row else { return Ok(None) };
        let lines = "SELECT product, quantity, unit_price_cents FROM order_lines WHERE order_id = ? ORDER BY position";
        match sqlx::query_as(lines).bind(order_id).fetch_all(&mut *reading).await {
            Ok(lines) => row.order.lines = lines,
            Err(sqlx::Error::ColumnDecode { .. }) => row.odd.push("order_lines"),
            Err(error) => return Err(error),
        }
        row.order.notes = notes::newest(&mut reading, order_id).await?;
        Ok(Some(row))
    }

    /// Lists the orders with a status, ignoring case, sorted by reference, without their lines and notes.
    pub async fn with_status(&self, status: &str, limit: u32) -> Result<Vec<OrderRow>, ToolError> {
        sqlx::query_as("SELECT * FROM orders WHERE status = ? COLLATE NOCASE ORDER BY order_id LIMIT ?")
            .bind(status)
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(for_the_model)
    }

    /// Lists the references of orders that contain a text, ignoring case, sorted.
    pub async fn ids_like(&self, text: &str) -> Result<Vec<String>, ToolError> {
        // Not with LIKE, because `%` and `_` in the text would be wildcards.
        let ids: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT CAST(order_id AS BLOB) FROM orders WHERE instr(lower(order_id), lower(?)) > 0
             ORDER BY order_id LIMIT ?",
        )
        .bind(text)
        .bind(MAX_IDS)
        .fetch_all(&self.reader)
        .await
        .map_err(for_the_model)?;
        Ok(ids.into_iter().filter_map(|id| String::from_utf8(id).ok()).collect())
    }

    /// Finds the statement that created the table.
    pub async fn schema(&self) -> Result<String, ToolError> {
        sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'orders'")
            .fetch_one(&self.reader)
            .await
            .map_err(for_the_model)
    }
}
