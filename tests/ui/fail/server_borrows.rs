use fastmcp_rs::mcp;

struct Service<'a>(&'a str);

#[mcp::server]
impl Service<'_> {
    /// Says it.
    #[tool]
    fn say(&self) -> String {
        self.0.to_owned()
    }
}

fn main() {
    Service("").say();
}
