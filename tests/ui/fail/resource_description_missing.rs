#![deny(deprecated)]

use fastmcp_rs::mcp;

#[mcp::resource("config://app")]
fn config() -> String {
    String::new()
}

#[mcp::prompt]
fn review() -> String {
    String::new()
}

fn main() {}
