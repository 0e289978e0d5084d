use fastmcp_rs::mcp;

struct Server;

impl Server {
    /// The settings.
    #[mcp::resource("config://app")]
    fn config(&self) -> String {
        String::new()
    }
}

fn main() {}
