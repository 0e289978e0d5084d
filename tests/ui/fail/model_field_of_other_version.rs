use fastmcp_rs::mcp;

mod other {
    //! Stands for another major version of serde and schemars.

    pub trait Serialize {}
    pub trait Deserialize {}
    pub trait JsonSchema {}
}

struct Address;

impl other::Serialize for Address {}
impl other::Deserialize for Address {}
impl other::JsonSchema for Address {}

#[mcp::model]
struct Customer {
    address: Address,
}

fn main() {}
