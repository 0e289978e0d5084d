//! Structured output: a type of your own becomes the tool's output schema.
//!
//! ```sh
//! cargo run --example structured_output
//! ```

use fastmcp_rs::prelude::*;

/// The distribution of the marks of a class.
#[mcp::model]
struct Summary {
    /// The number of marks.
    count: usize,
    /// Their mean; absent if there are no marks.
    mean: Option<f64>,
    verdict: Verdict,
}

#[mcp::model]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Fair,
    /// The mean is below 50, or there are no marks.
    Poor,
}

/// Summarizes marks.
#[mcp::tool(read_only)]
fn summarize(
    /// In percent.
    marks: Vec<u8>,
) -> Summary {
    let count = marks.len();
    let sum: f64 = marks.into_iter().map(f64::from).sum();
    let mean = (count > 0).then(|| sum / count as f64);
    let verdict = match mean {
        Some(80.0..) => Verdict::Good,
        Some(50.0..) => Verdict::Fair,
        _ => Verdict::Poor,
    };
    Summary { count, mean, verdict }
}

/// Sorts marks, the best first.
#[mcp::tool(read_only)]
fn rank(mut marks: Vec<u16>) -> Vec<u16> {
    marks.sort_unstable_by(|a, b| b.cmp(a));
    marks
}

/// Summarizes marks in words, with the figures as structured content.
#[mcp::tool(read_only)]
fn report(marks: Vec<u8>) -> Structured<Summary> {
    let summary = summarize(marks);
    let text = match summary.mean {
        Some(mean) => format!("{} marks, {mean:.1} on average.", summary.count),
        None => "There are no marks.".to_owned(),
    };
    Structured::new(summary).text(text)
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("marks").run_stdio().await
}
