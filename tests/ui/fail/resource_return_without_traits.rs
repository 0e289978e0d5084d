use fastmcp_rs::mcp;

struct Config {
    verbose: bool,
}

/// The settings.
#[mcp::resource("config://app")]
fn config() -> Config {
    Config { verbose: true }
}

fn main() {}
