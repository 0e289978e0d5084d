use fastmcp_rs::prelude::*;

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    let client = App::new("orders").test_client().await?;
    client.call("count", ()).await?;
    Ok(())
}
