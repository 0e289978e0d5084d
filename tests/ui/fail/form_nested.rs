use fastmcp_rs::prelude::*;

#[mcp::model]
struct Address {
    street: String,
}

#[mcp::model]
struct Customer {
    name: String,
    address: Address,
}

/// Asks.
#[mcp::tool]
async fn ask(ctx: &Context) -> Result<(), ToolError> {
    ctx.elicit::<Address>("Which one?").await?;
    ctx.elicit::<Customer>("Which one?").await?;
    Ok(())
}

fn main() {}
