//! Elicitation: a tool asks the user of the client, and continues with the answer.
//!
//! ```sh
//! cargo run --example elicitation
//! ```
//!
//! A client of 2026-07-28 gets the question as the result of the call, and calls again with the answer; the function
//! then runs again from its beginning. An older client gets a request, and the function waits. The code is the same.

use std::sync::atomic::{AtomicU32, Ordering};

use fastmcp_rs::prelude::*;

/// The number of free seats.
struct Seats(AtomicU32);

/// The form for the user, with one field per member.
#[mcp::model]
struct Wishes {
    /// The number of seats.
    #[arg(min = 1, max = 8)]
    seats: u32,
    class: Class,
    /// A note for the crew.
    note: Option<String>,
}

#[mcp::model]
#[serde(rename_all = "lowercase")]
enum Class {
    /// Economy, 90 euros
    Economy,
    /// Business, 240 euros
    Business,
}

/// Books a flight, and asks the user for the details.
#[mcp::tool]
async fn book_flight(to: &str, ctx: &Context, seats: State<Seats>) -> Result<String, ToolError> {
    let answer = match ctx.elicit::<Wishes>(format!("Your flight to {to}")).await {
        // Not every client supports elicitation. The error tells the model the alternative.
        Err(ClientRequestError::Unsupported { .. }) => {
            return Err(ToolError::new("This client cannot ask the user: suggest a travel agency instead."));
        }
        answer => answer?,
    };
    let wishes = match answer {
        ElicitationResult::Accepted(wishes) => wishes,
        ElicitationResult::Declined => return Ok("The user declined. Nothing was booked.".into()),
        ElicitationResult::Cancelled => return Ok("The user dismissed the form. Nothing was booked.".into()),
    };
    // Nothing changes before the question, because that code runs twice. This takes all seats in one step, or none of
    // them.
    let take = |left: u32| left.checked_sub(wishes.seats);
    if seats.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
        return Err(ToolError::new("There are not enough seats left."));
    }
    let note = wishes.note.map_or(String::new(), |note| format!(" Note: {note}"));
    Ok(format!("{} seats to {to} in {} class are booked.{note}", wishes.seats, wishes.class))
}

/// Cancels all bookings after two confirmations.
#[mcp::tool(destructive, idempotent)]
async fn cancel_all(ctx: &Context, seats: State<Seats>) -> Result<String, ToolError> {
    for question in ["Cancel all bookings?", "Really all of them?"] {
        if ctx.elicit::<bool>(question).await?.accepted() != Some(true) {
            return Ok("Nothing was cancelled.".into());
        }
    }
    seats.0.store(100, Ordering::SeqCst);
    Ok("All bookings are cancelled.".into())
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("flights").state(Seats(AtomicU32::new(100))).run_stdio().await
}
