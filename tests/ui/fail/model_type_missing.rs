use fastmcp_rs::prelude::*;

#[mcp::model]
struct Order {
    customer: Customer,
    states: Vec<OrderState>,
    #[arg(min = 1)]
    number: u32,
}

fn main() {}
