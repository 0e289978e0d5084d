//! Notes on orders: append-only, with full-text search.

use fastmcp_rs::prelude::*;

use super::{not_found, tell_watchers};
use crate::database::{Note, NoteMatch, Orders};

/// Adds a note to an order.
///
/// Use this to record information for the next person who works on the order, such as a request of the
/// customer. Notes cannot be changed or removed.
#[mcp::tool(destructive = false)]
async fn add_order_note(
    /// The order reference, e.g. `ORD-101`.
    order_id: &str,
    /// The note, in plain words.
    #[arg(max_length = 2000, pattern = r"\S")]
    text: &str,
    orders: State<Orders>,
    ctx: &Context,
) -> Result<Note, ToolError> {
    let note = orders.add_note(order_id, text).await?.ok_or_else(|| not_found(order_id))?;
    tell_watchers(ctx, order_id);
    Ok(note)
}

/// Searches the notes on orders, and returns the best matches first.
///
/// Use this when the user asks about the content of notes (e.g., "who complained about a late delivery?").
/// It finds notes with any of the words, even in other forms ("refund" finds "refunded"). For the newest
/// notes on one order, use get_order_details.
#[mcp::tool(read_only)]
async fn search_order_notes(
    /// Words to search for. Quotes and operators have no effect.
    #[arg(max_length = 500)]
    query: &str,
    /// Search only the notes on this order, e.g. `ORD-101`.
    order_id: Option<&str>,
    /// The maximum number of notes.
    #[arg(default = 10, min = 1, max = 50)]
    limit: u32,
    orders: State<Orders>,
) -> Result<Vec<NoteMatch>, ToolError> {
    orders.search_notes(query, order_id, limit).await
}
