use fastmcp_rs::prelude::*; // cargo run --example hello

/// Greets someone by name.
#[mcp::tool(read_only)]
fn hello(name: &str) -> String {
    format!("Hello, {name}!")
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("hello").run_stdio().await
}
