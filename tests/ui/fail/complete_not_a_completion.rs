use fastmcp_rs::{CompletionRequest, State, mcp};

fn without_completing(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn of_numbers(_: CompletionRequest) -> Vec<u32> {
    Vec::new()
}

async fn with_an_argument(_: CompletionRequest, other: String) -> Vec<String> {
    vec![other]
}

const NOTHING: u8 = 0;

/// Reviews.
#[mcp::prompt]
fn review(
    #[arg(complete = without_completing)] a: &str,
    #[arg(complete = of_numbers)] b: &str,
    #[arg(complete = with_an_argument)] c: &str,
    #[arg(complete = NOTHING)] d: &str,
    state: State<u8>,
) -> String {
    let _ = state;
    format!("{a} {b} {c} {d}")
}

fn main() {}
