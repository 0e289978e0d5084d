#![deny(deprecated)]

mod tools {
    use fastmcp_rs::mcp;

    #[mcp::tool]
    pub async fn first() {}

    /// Has one.
    #[mcp::tool]
    pub async fn second() {}

    #[mcp::tool(description = "")]
    pub async fn third() {}

    #[allow(deprecated)]
    #[mcp::tool]
    pub async fn fourth() {}
}

fn main() {
    drop(tools::first());
}
