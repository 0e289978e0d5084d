use fastmcp_rs::prelude::*;

/// Cancels an order.
#[mcp::tool]
async fn cancel(order: String, ctx: &Context) -> Result<String, ToolError> {
    ctx.elicit::<bool>(format!("Cancel {order}?"))?;
    Ok(order)
}

fn main() {}
