use fastmcp_rs::mcp;

#[mcp::main]
fn main() {
    std::future::ready(()).await;
}
