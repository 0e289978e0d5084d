//! The type of a parameter or a result decides on its role, in any spelling.

use fastmcp_rs::{Context, State, ToolError, mcp};

type Maybe<T> = Option<T>;
type Outcome<T> = Result<T, ToolError>;
type Text = String;
type Here = Context;
type Numbers = State<Vec<u32>>;
type Limit = u32;

/// Finds.
#[mcp::tool]
async fn find(text: Text, limit: Maybe<u32>, context: &Here, numbers: Numbers) -> Outcome<Text> {
    let _ = (limit, context, numbers);
    Ok(text)
}

/// Counts.
#[mcp::tool]
fn count(#[arg(default = 10, min = 1, header = "Limit")] limit: Limit) -> Maybe<Limit> {
    Some(limit)
}

type Candidates = Vec<String>;

fn texts(_: fastmcp_rs::CompletionRequest, _: Here, _: Numbers) -> Outcome<Candidates> {
    Ok(Vec::new())
}

/// Reads.
#[mcp::resource("numbers://{text}{?limit}")]
async fn read(
    #[arg(complete = texts)] text: Text,
    limit: Maybe<u32>,
    context: &Here,
    numbers: Numbers,
) -> Outcome<Maybe<Text>> {
    let _ = (limit, context, numbers);
    Ok(Some(text))
}

/// Asks.
#[mcp::prompt]
async fn ask(text: Text, limit: Maybe<u32>, context: &Here, numbers: Numbers) -> Outcome<Text> {
    let _ = (limit, context, numbers);
    Ok(text)
}

fn main() {
    assert_eq!(count(1), Some(1));
}
