use fastmcp_rs::mcp;

struct Order {
    id: String,
}

#[mcp::model]
struct Page<T> {
    items: Vec<T>,
}

#[mcp::model]
struct Answer {
    page: Page<Order>,
}

fn main() {}
