//! Orders, and the allowed changes of their status.

use std::fmt;

use fastmcp_rs::prelude::*;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, FromRow, Row, Type};

use super::Note;
use crate::one_line::OneLine;

/// The largest total in US dollars that an `f64` represents exactly to the cent.
const MAX_TOTAL: f64 = 9e13;

/// An order with its lines and notes.
#[mcp::model]
pub struct Order {
    pub order_id: String,
    pub customer_email: String,
    /// A [`Status`], unless another program has written something else.
    pub status: String,
    /// US dollars.
    pub total_amount: f64,
    pub is_refundable: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<OrderLine>,
    /// The newest notes, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// One row of the `orders` table. SQLite lets other programs store values of any type in its columns, and one invalid
/// row must not fail a whole list.
pub struct OrderRow {
    /// The order, with defaults for the invalid columns.
    pub order: Order,
    /// The columns with invalid values.
    pub odd: Vec<&'static str>,
}

impl FromRow<'_, SqliteRow> for OrderRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let mut odd = Vec::new();
        let order = Order {
            order_id: column(row, "order_id", &mut odd)?,
            customer_email: column(row, "customer_email", &mut odd)?,
            status: column(row, "status", &mut odd)?,
            total_amount: column(row, "total_amount", &mut odd)?,
            is_refundable: column(row, "is_refundable", &mut odd)?,
            lines: Vec::new(),
            notes: Vec::new(),
        };
        if !(0.0..=MAX_TOTAL).contains(&order.total_amount) {
            odd.push("total_amount");
        }
        Ok(Self { order, odd })
    }
}

/// Reads a column, or adds it to the invalid ones.
fn column<'r, T>(row: &'r SqliteRow, name: &'static str, odd: &mut Vec<&'static str>) -> Result<T, sqlx::Error>
where
    T: Decode<'r, Sqlite> + Type<Sqlite> + Default,
{
    match row.try_get(name) {
        Ok(Some(value)) => Ok(value),
        Ok(None) | Err(sqlx::Error::ColumnDecode { .. }) => {
            odd.push(name);
            Ok(T::default())
        }
        Err(error) => Err(error),
    }
}

impl OrderRow {
    /// Describes the invalid columns, if there are any.
    pub fn problem(&self) -> Option<String> {
        let odd = self.odd.join(", ");
        (!odd.is_empty())
            .then(|| format!("Its row in the database has invalid values, which must be corrected there: {odd}."))
    }

    /// Returns the order, or an error that tells the model the reason.
    pub fn into_order(self) -> Result<Order, ToolError> {
        match self.problem() {
            Some(problem) => {
                Err(ToolError::new(format!("Order {} cannot be used. {problem}", OneLine(&self.order.order_id))))
            }
            None => Ok(self.order),
        }
    }
}

/// One product in an order.
#[mcp::model]
#[derive(PartialEq)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// The name of the product, on one line.
    #[arg(max_length = 200, pattern = r"^\S(.*\S)?$")]
    pub product: String,
    #[arg(min = 1, max = 1000)]
    pub quantity: u32,
    /// The price of one unit, in US cents.
    #[arg(max = 10_000_000)]
    pub unit_price_cents: u32,
}

impl FromRow<'_, SqliteRow> for OrderLine {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            product: row.try_get("product")?,
            quantity: row.try_get("quantity")?,
            unit_price_cents: row.try_get("unit_price_cents")?,
        })
    }
}

/// An order before it is stored.
pub struct NewOrder<'a> {
    pub customer_email: &'a str,
    pub lines: &'a [OrderLine],
    pub is_refundable: bool,
    pub idempotency_key: Option<&'a str>,
}

/// The status of an order.
#[mcp::model]
#[derive(Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Processing,
    Shipped,
    Delivered,
    Cancelled,
}

impl Status {
    const ALL: [Self; 4] = [Self::Processing, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// Returns the allowed next statuses. This is the only table of transitions.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Processing => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Cancelled => &[],
        }
    }

    /// Returns the status that an order must have before it can have this one.
    pub fn previous(self) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.next().contains(&self))
    }
}

impl Order {
    /// Returns the status if this server knows it.
    pub fn known_status(&self) -> Option<Status> {
        self.status.to_uppercase().parse().ok()
    }

    /// Returns true if the next status may be this one.
    pub fn may_become(&self, status: Status) -> bool {
        self.known_status().is_some_and(|current| current.next().contains(&status))
    }

    pub fn total_cents(&self) -> i64 {
        (self.total_amount * 100.0).round() as i64
    }
}

impl NewOrder<'_> {
    /// Returns the total in dollars for its column, which is exact to the cent far beyond the limits of a line.
    pub fn total_amount(&self) -> f64 {
        let cents: u64 =
            self.lines.iter().map(|line| u64::from(line.quantity) * u64::from(line.unit_price_cents)).sum();
        cents as f64 / 100.0
    }

    /// Returns true if `order` was created from this one.
    pub fn is_like(&self, order: &Order) -> bool {
        self.customer_email == order.customer_email
            && self.is_refundable == order.is_refundable
            && self.lines == order.lines
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All texts are untrusted, and stay on one line.
        writeln!(f, "Order ID: {}", OneLine(&self.order_id))?;
        writeln!(f, "Customer: {}", OneLine(&self.customer_email))?;
        writeln!(f, "Status: {}", OneLine(&self.status))?;
        writeln!(f, "Total: ${:.2}", self.total_amount)?;
        write!(f, "Refundable: {}", if self.is_refundable { "Yes" } else { "No" })?;
        for OrderLine { product, quantity, unit_price_cents } in &self.lines {
            let product = OneLine(product);
            write!(f, "\nLine: {quantity} x {product} at ${:.2}", f64::from(*unit_price_cents) / 100.0)?;
        }
        for Note { created_at, text, .. } in &self.notes {
            write!(f, "\nNote of {}: {}", OneLine(created_at), OneLine(text))?;
        }
        Ok(())
    }
}
