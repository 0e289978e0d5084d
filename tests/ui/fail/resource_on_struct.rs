use fastmcp_rs::mcp;

#[mcp::resource("config://app")]
struct Config {
    verbose: bool,
}

fn main() {}
