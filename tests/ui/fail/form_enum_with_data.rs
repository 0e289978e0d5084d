use fastmcp_rs::{Form, mcp};

#[mcp::model]
enum Payment {
    Cash,
    Card { number: String },
}

#[mcp::model]
struct Order {
    payment: Payment,
    payments: Vec<Payment>,
}

fn ask<T: Form>() {}

fn main() {
    ask::<Payment>();
    ask::<Order>();
}
