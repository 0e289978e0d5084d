use fastmcp_rs::prelude::*;

fn main() {
    let add = #[mcp::tool]
    |a: i64, b: i64| a + b;
    let _ = add(1, 2);
}
