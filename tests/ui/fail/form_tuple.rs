use fastmcp_rs::elicitation::Form;
use fastmcp_rs::mcp;

#[mcp::model]
struct Pair(u8, u8);

#[mcp::model]
struct Names(Vec<String>);

fn ask<T: Form>() {}

fn main() {
    ask::<Pair>();
    ask::<Names>();
}
