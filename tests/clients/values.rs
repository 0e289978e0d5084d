//! A server with a tool for each kind of value, which applications call for a scripted model.
//!
//! It serves standard input and output, or with `--http 127.0.0.1:8000` that address. Its sealing key is the same in
//! every process, so that sessions survive a restart. All tools are `read_only`, because Codex calls these without
//! a person.

use chrono::NaiveTime;
use fastmcp_rs::SealingKey;
use fastmcp_rs::context::ClientInfo;
use fastmcp_rs::prelude::*;

/// An image of one pixel.
const PIXEL: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 144, 119, 83,
    222, 0, 0, 0, 12, 73, 68, 65, 84, 120, 156, 99, 248, 207, 192, 0, 0, 3, 1, 1, 0, 201, 254, 146, 239, 0, 0, 0, 0,
    73, 69, 78, 68, 174, 66, 96, 130,
];

/// Adds two whole numbers.
// Claude Code loads this tool at once, and the others when the model searches for them.
#[mcp::tool(read_only, meta = { "anthropic/alwaysLoad": true })]
async fn add(a: i32, b: i32) -> i32 {
    a + b
}

/// Tells whether a number is even.
#[mcp::tool(read_only)]
async fn is_even(number: i32) -> bool {
    number % 2 == 0
}

/// Greets a person.
#[mcp::tool(read_only)]
async fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

/// Returns the text that it gets.
// Gemini CLI refuses a text that is JSON and no object, unless it is structured.
#[mcp::tool(read_only, structured)]
async fn echo(text: String) -> String {
    text
}

/// Finds the position of a letter in a text.
#[mcp::tool(read_only)]
async fn find(text: String, letter: char) -> Option<usize> {
    text.find(letter)
}

/// Reverses a list of words.
#[mcp::tool(read_only)]
async fn reverse(words: Vec<String>) -> Vec<String> {
    words.into_iter().rev().collect()
}

/// Swaps the parts of a pair.
#[mcp::tool(read_only)]
async fn swap(
    /// A name and an age.
    pair: (String, u8),
) -> (u8, String) {
    (pair.1, pair.0)
}

/// A way to pay.
#[mcp::model]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Payment {
    /// By card.
    Card {
        /// The last four digits.
        number: String,
    },
    /// In cash.
    Cash {
        /// The amount in cents.
        cents: u32,
    },
}

/// Adds a tip of one euro to a payment in cash.
#[mcp::tool(read_only)]
async fn tip(payment: Payment) -> Payment {
    match payment {
        Payment::Cash { cents } => Payment::Cash { cents: cents.saturating_add(100) },
        card => card,
    }
}

/// Books a table.
#[mcp::tool(read_only)]
async fn book_table(
    /// How many people come.
    #[arg(min = 1, max = 20)]
    guests: u8,
    from: NaiveTime,
    until: NaiveTime,
) -> String {
    format!("A table for {guests} from {from} to {until}.")
}

/// Links to the manual.
#[mcp::tool(read_only)]
async fn manual() -> ResourceLink {
    ResourceLink::new("https://example.com/manual", "manual").description("All about it.")
}

/// Draws a picture.
#[mcp::tool(read_only)]
async fn draw() -> Image {
    Image::new(PIXEL, "image/png")
}

/// A connection as the server sees it.
#[mcp::model]
struct Connection {
    client: Option<String>,
    version: Option<String>,
    revision: String,
    /// The id of the server's process.
    process: u32,
}

/// Describes the connection.
#[mcp::tool(read_only)]
async fn connection(ctx: &Context) -> Connection {
    let ClientInfo { name: client, version, .. } = ctx.client_info();
    Connection { client, version, revision: ctx.revision().to_string(), process: std::process::id() }
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    let app = App::new("values")
        .instructions("Each tool takes and returns one kind of value.")
        .sealing_keys([SealingKey::new([7; 32])]);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [option, address] if option == "--http" => app.run_http(address.as_str()).await,
        _ => app.run_stdio().await,
    }
}
