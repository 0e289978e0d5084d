use fastmcp_rs::handler::FromContext;
use fastmcp_rs::prelude::*;

struct Tenant;

impl FromContext for Tenant {
    type Error = ToolError;

    async fn from_context(_: &Context) -> Result<Self, ToolError> {
        Ok(Tenant)
    }
}

/// Counts.
#[mcp::tool]
fn count(tenant: Option<Tenant>) -> bool {
    tenant.is_some()
}

fn main() {}
