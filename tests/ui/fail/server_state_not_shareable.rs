use std::cell::Cell;

use fastmcp_rs::mcp;

struct Counter {
    count: Cell<u32>,
}

#[mcp::server]
impl Counter {
    /// Counts.
    #[tool]
    async fn count(&self) -> u32 {
        self.count.replace(self.count.get() + 1)
    }

    /// Needs no state.
    #[tool]
    fn double(n: u32) -> u32 {
        n * 2
    }
}

fn main() {}
