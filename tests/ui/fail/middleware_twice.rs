use fastmcp_rs::middleware::Timing;
use fastmcp_rs::prelude::*;

/// The rules.
#[mcp::resource("orders://rules", middleware = timing(), middleware = timing())]
fn rules() -> String {
    String::new()
}

fn timing() -> Timing {
    Timing::new()
}

fn main() {}
