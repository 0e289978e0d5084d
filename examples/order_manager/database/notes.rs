//! Notes on orders, and their full-text search.

use fastmcp_rs::prelude::*;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

use super::{Orders, for_the_model, text};

/// The number of notes that are shown with their order.
const NEWEST: u32 = 10;

/// A note about an order.
#[mcp::model]
pub struct Note {
    pub note_id: i64,
    /// The time at which the note was added, in UTC.
    pub created_at: String,
    pub text: String,
}

impl FromRow<'_, SqliteRow> for Note {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self { note_id: row.try_get("note_id")?, created_at: text(row, "created_at")?, text: text(row, "text")? })
    }
}

/// A note that a search has found.
#[mcp::model]
pub struct NoteMatch {
    pub note_id: i64,
    /// The order that the note is on.
    pub order_id: String,
    /// The time at which the note was added, in UTC.
    pub created_at: String,
    /// The part of the note with most of the words, each between `**`.
    pub snippet: String,
}

impl FromRow<'_, SqliteRow> for NoteMatch {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            note_id: row.try_get("note_id")?,
            order_id: text(row, "order_id")?,
            created_at: text(row, "created_at")?,
            snippet: text(row, "snippet")?,
        })
    }
}

impl Orders {
    /// Adds a note to an order and returns it, or returns nothing if the order does not exist.
    pub async fn add_note(&self, order_id: &str, text: &str) -> Result<Option<Note>, ToolError> {
        let change = async {
            let mut writing = self.write().await?;
            let note = add(&mut writing, order_id, text).await?;
            writing.commit().await?;
            Ok(note)
        };
        change.await.map_err(for_the_model)
    }

    /// Finds notes of all orders or of one that contain any of the words, best matches first.
    pub async fn search_notes(
        &self,
        words: &str,
        order_id: Option<&str>,
        limit: u32,
    ) -> Result<Vec<NoteMatch>, ToolError> {
        let Some(query) = any_of(words) else { return Ok(Vec::new()) };
        // The rank is bm25: more matching words, rarer words and shorter notes come first.
        sqlx::query_as(
            "SELECT note_id, order_id, created_at, snippet(order_notes_index, 0, '**', '**', '…', 24) AS snippet
             FROM order_notes_index JOIN order_notes ON note_id = order_notes_index.rowid
             WHERE order_notes_index MATCH ?1 AND (?2 IS NULL OR order_id = ?2)
             ORDER BY rank, note_id DESC LIMIT ?3",
        )
        .bind(query)
        .bind(order_id)
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .map_err(for_the_model)
    }
}

/// Builds an FTS5 query that matches any of the words.
///
/// A bind parameter is not enough here: FTS5 parses its text as a query, with operators that a model does not intend.
/// So the query contains only letters and digits, inside quotes.
fn any_of(words: &str) -> Option<String> {
    let words = words.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    (!words.is_empty()).then(|| words.join(" OR "))
}

pub(super) async fn add(
    writing: &mut SqliteConnection,
    order_id: &str,
    text: &str,
) -> Result<Option<Note>, sqlx::Error> {
    // Selects from the orders, so that there is no row to insert if the order does not exist.
    let insert = "INSERT INTO order_notes (order_id, text) SELECT order_id, ? FROM orders WHERE order_id = ?
                  RETURNING note_id, created_at, text";
    sqlx::query_as(insert).bind(text).bind(order_id).fetch_optional(writing).await
}

pub(super) async fn newest(reading: &mut SqliteConnection, order_id: &str) -> Result<Vec<Note>, sqlx::Error> {
    let notes = "SELECT note_id, created_at, text FROM order_notes WHERE order_id = ? ORDER BY note_id DESC LIMIT ?";
    sqlx::query_as(notes).bind(order_id).bind(NEWEST).fetch_all(reading).await
}
