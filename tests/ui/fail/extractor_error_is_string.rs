use fastmcp_rs::Context;
use fastmcp_rs::handler::FromContext;

struct Tenant;

impl FromContext for Tenant {
    type Error = String;

    async fn from_context(_: &Context) -> Result<Self, String> {
        Err("no tenant".to_owned())
    }
}

fn main() {}
