use fastmcp_rs::prelude::*;

struct Order {
    article: String,
}

/// Asks.
#[mcp::tool]
async fn ask(ctx: &Context) -> Result<(), ToolError> {
    ctx.elicit::<Order>("Which one?").await?;
    Ok(())
}

fn main() {}
