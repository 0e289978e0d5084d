//! Prompts: templates that a person selects from a menu and fills in, with completion.
//!
//! ```sh
//! cargo run --example prompts
//! ```

use fastmcp_rs::prelude::*;

/// Explains a text in simple words.
#[mcp::prompt(title = "Explain this")]
fn explain(
    /// The text to explain.
    text: &str,
    /// The number of sentences.
    #[arg(default = 3, min = 1, max = 20)]
    sentences: u8,
) -> String {
    format!("Explain this in {sentences} sentences that a child understands:\n\n{text}")
}

/// The tone of a letter.
#[mcp::model]
#[serde(rename_all = "lowercase")]
enum Tone {
    Friendly,
    Formal,
}

/// Begins a letter to a city hall.
#[mcp::prompt]
fn letter(
    #[arg(complete = countries)] country: &str,
    #[arg(complete = cities)] city: &str,
    tone: Tone,
) -> Vec<Message> {
    vec![
        Message::user(format!("Write a {tone} letter to the city hall of {city}, {country}.")),
        Message::assistant("What is it about?"),
    ]
}

fn countries(_: CompletionRequest) -> Vec<String> {
    ["France", "Germany"].map(String::from).into()
}

/// Suggests cities of the country that was chosen before.
fn cities(request: CompletionRequest) -> Vec<String> {
    let cities: &[&str] = match request.argument("country") {
        Some("France") => &["Lyon", "Paris"],
        Some("Germany") => &["Berlin", "Bonn", "Bremen"],
        _ => &["Berlin", "Bonn", "Bremen", "Lyon", "Paris"],
    };
    cities.iter().map(|city| (*city).to_owned()).collect()
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("letters").run_stdio().await
}
