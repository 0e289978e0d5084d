use fastmcp_rs::elicitation::Form;
use fastmcp_rs::mcp;

// The one mistake is reported, and what uses the type is not.
#[mcp::model]
struct Order {
    #[arg(min = 3, max = 1)]
    quantity: u8,
    parts: Vec<String>,
}

fn ask<T: Form>() {}

fn main() {
    ask::<Order>();
}
