use fastmcp_rs::mcp;

#[mcp::model(input, output)]
struct Order {
    id: String,
}

fn main() {}
