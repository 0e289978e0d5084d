use fastmcp_rs::prelude::*;

mod tools {
    use fastmcp_rs::prelude::*;

    /// Adds two numbers.
    #[mcp::tool]
    fn add(a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {
    App::empty("orders").tool::<tools::add>();
}
