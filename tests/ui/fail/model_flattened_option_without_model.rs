use fastmcp_rs::prelude::*;

struct Address {
    street: String,
}

#[mcp::model]
struct Delivery {
    #[serde(flatten)]
    address: Option<Address>,
    express: bool,
}

fn main() {}
