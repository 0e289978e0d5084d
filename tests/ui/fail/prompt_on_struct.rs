use fastmcp_rs::mcp;

#[mcp::prompt]
struct Review {
    id: String,
}

fn main() {}
