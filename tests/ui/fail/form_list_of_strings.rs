use fastmcp_rs::prelude::*;

#[mcp::model]
struct Order {
    articles: Vec<String>,
    total: u128,
}

/// Asks.
#[mcp::tool]
async fn ask(ctx: &Context) -> Result<(), ToolError> {
    ctx.elicit::<Order>("Which one?").await?;
    Ok(())
}

fn main() {}
