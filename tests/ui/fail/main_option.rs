use fastmcp_rs::mcp;

#[mcp::main(worker_thread = 2)]
async fn main() {}
