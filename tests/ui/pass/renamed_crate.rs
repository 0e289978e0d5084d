//! A crate that names fastmcp-rs differently says so.
extern crate fastmcp_rs as other;

/// Greets.
#[other::mcp::tool(crate = other)]
async fn greet(#[arg(default = "you", header = "Name")] name: &str) -> String {
    format!("Hello, {name}!")
}

mod inner {
    /// A line.
    #[other::mcp::model(crate = ::other)]
    pub struct Line {
        #[arg(min = 1, default = 2)]
        pub quantity: u32,
    }

    /// Counts.
    #[other::mcp::tool(crate = ::other)]
    pub fn count(line: &Line) -> u32 {
        line.quantity
    }
}

#[other::mcp::main(crate = other)]
async fn main() {
    greet("you").await;
    inner::count(&inner::Line { quantity: 1 });
}
