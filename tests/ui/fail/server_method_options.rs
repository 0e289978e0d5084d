use fastmcp_rs::mcp;

struct Orders;

#[mcp::server]
impl Orders {
    /// Counts.
    #[tool(handle = Count, readonly)]
    fn count(&self) -> usize {
        0
    }

    /// Sums.
    #[tool(crate = ::fastmcp_rs)]
    fn sum(&self) -> usize {
        0
    }

    /// Says.
    #[tool = "say"]
    fn say(&self) {}

    /// Both.
    #[tool]
    #[prompt]
    fn both(&self) -> String {
        String::new()
    }

    /// No method.
    #[tool]
    const LIMIT: usize = 1;

    /// No body.
    #[mcp::resource("orders://all")]
    fn all(&self) -> String;
}

fn main() {}
