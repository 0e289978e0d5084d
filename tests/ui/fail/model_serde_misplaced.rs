use fastmcp_rs::mcp;

#[mcp::model]
struct Order {
    #[serde(deny_unknown_fields)]
    count: u8,
}

fn main() {}
