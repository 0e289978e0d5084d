use fastmcp_rs::prelude::*;

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("orders").run_http("127.0.0.1:8080").await
}
