use fastmcp_rs::mcp;

#[mcp::main]
async fn main(arguments: Vec<String>) {
    drop(arguments);
}
