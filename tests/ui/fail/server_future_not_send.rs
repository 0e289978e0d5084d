use std::rc::Rc;

use fastmcp_rs::mcp;

struct Orders;

#[mcp::server]
impl Orders {
    /// Waits with an `Rc`.
    #[tool]
    async fn wait(&self) -> u32 {
        let number = Rc::new(1);
        std::future::ready(()).await;
        *number
    }
}

fn main() {}
