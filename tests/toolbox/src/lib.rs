//! Tools in a library crate: a program with `use toolbox as _;` serves them.

use fastmcp_rs::prelude::*;

/// A sum of money.
#[mcp::model]
pub struct Money {
    /// Cents.
    #[arg(min = 0)]
    pub cents: u64,
    /// The currency's ISO 4217 code.
    #[arg(pattern = "^[A-Z]{3}$", default = "EUR")]
    pub currency: String,
}

/// Doubles a sum of money.
#[mcp::tool(read_only)]
pub fn double_money(
    /// The sum.
    money: Money,
) -> Money {
    Money { cents: money.cents * 2, ..money }
}
