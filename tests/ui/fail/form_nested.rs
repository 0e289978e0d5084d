use fastmcp_rs::{Form, mcp};

#[mcp::model]
struct Address {
    street: String,
}

#[mcp::model]
struct Customer {
    name: String,
    address: Address,
}

fn ask<T: Form>() {}

fn main() {
    ask::<Address>();
    ask::<Customer>();
}
