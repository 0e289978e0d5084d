use fastmcp_rs::mcp;

#[mcp::model(displai = false)]
enum Status {
    Paid,
}

#[mcp::model(from_str = false)]
struct Order {
    id: String,
}

fn main() {}
