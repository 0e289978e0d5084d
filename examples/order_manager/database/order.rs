//! What an order is, and which way it goes.

use std::fmt;

use fastmcp_rs::prelude::*;
use sqlx::FromRow;

use super::Note;

/// One row of the `orders` table, with what belongs to it.
#[mcp::model]
#[derive(FromRow)]
pub struct Order {
    pub order_id: String,
    pub customer_email: String,
    /// A [`Status`], unless another program has written something else.
    pub status: String,
    /// US dollars.
    pub total_amount: f64,
    pub is_refundable: bool,
    #[sqlx(skip)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<OrderLine>,
    /// The newest ones, newest first.
    #[sqlx(skip)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// One product in an order.
#[mcp::model]
#[derive(FromRow, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// What it is, on one line.
    #[arg(max_length = 200, pattern = r"^\S(.*\S)?$")]
    pub product: String,
    #[arg(min = 1, max = 1000)]
    pub quantity: u32,
    /// The price of one, in US cents.
    #[arg(max = 10_000_000)]
    pub unit_price_cents: u32,
}

/// An order that is not there yet.
pub struct NewOrder<'a> {
    pub customer_email: &'a str,
    pub lines: &'a [OrderLine],
    pub is_refundable: bool,
    pub idempotency_key: Option<&'a str>,
}

/// How far an order is.
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

    /// What an order may become next: the one table of what is allowed.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Processing => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Cancelled => &[],
        }
    }

    /// What an order has to be before it may become this.
    pub fn previous(self) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.next().contains(&self))
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Shipped => "SHIPPED",
            Self::Delivered => "DELIVERED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl Order {
    /// The status, if it is one that this server knows.
    pub fn known_status(&self) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(&self.status))
    }

    /// Whether the next status may be this one.
    pub fn may_become(&self, status: Status) -> bool {
        self.known_status().is_some_and(|current| current.next().contains(&status))
    }

    pub fn total_cents(&self) -> i64 {
        (self.total_amount * 100.0).round() as i64
    }
}

impl NewOrder<'_> {
    /// What the column for the total holds: dollars, which stay exact to the cent far beyond what the
    /// limits of a line allow.
    pub fn total_amount(&self) -> f64 {
        let cents: u64 =
            self.lines.iter().map(|line| u64::from(line.quantity) * u64::from(line.unit_price_cents)).sum();
        cents as f64 / 100.0
    }

    /// Whether this is what `order` was made of.
    pub fn is_like(&self, order: &Order) -> bool {
        self.customer_email == order.customer_email
            && self.is_refundable == order.is_refundable
            && self.lines == order.lines
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Order ID: {}", self.order_id)?;
        writeln!(f, "Customer: {}", self.customer_email)?;
        writeln!(f, "Status: {}", self.status)?;
        writeln!(f, "Total: ${:.2}", self.total_amount)?;
        write!(f, "Refundable: {}", if self.is_refundable { "Yes" } else { "No" })?;
        for OrderLine { product, quantity, unit_price_cents } in &self.lines {
            write!(f, "\nLine: {quantity} x {product} at ${:.2}", f64::from(*unit_price_cents) / 100.0)?;
        }
        for Note { created_at, text, .. } in &self.notes {
            write!(f, "\nNote of {created_at}: {text}")?;
        }
        Ok(())
    }
}
