use fastmcp_rs::mcp;

#[mcp::server]
fn count() -> usize {
    0
}

fn main() {
    count();
}
