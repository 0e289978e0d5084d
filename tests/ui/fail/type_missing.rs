use fastmcp_rs::prelude::*;

/// Finds orders.
#[mcp::tool]
fn find_orders(customer: Customer, states: Vec<OrderState>) -> Result<Order, Failure> {
    panic!("{customer:?} {states:?}")
}

fn main() {}
