use fastmcp_rs::{Form, mcp};

#[mcp::model]
struct Order {
    articles: Vec<String>,
    total: u128,
}

fn ask<T: Form>() {}

fn main() {
    ask::<Order>();
}
