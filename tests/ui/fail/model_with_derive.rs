use fastmcp_rs::mcp;

#[mcp::model]
#[derive(Debug, serde::Serialize)]
struct Order {
    id: String,
}

fn main() {}
