use fastmcp_rs::elicitation::Form;
use fastmcp_rs::mcp;

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
