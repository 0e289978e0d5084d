use fastmcp_rs::prelude::*;

/// The configuration.
#[mcp::resource("config://app")]
fn config() -> String {
    "debug".to_owned()
}

fn main() {
    App::empty("orders").tool::<config>();
}
