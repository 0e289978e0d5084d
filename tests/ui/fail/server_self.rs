use std::sync::Arc;

use fastmcp_rs::mcp;

struct Orders;

#[mcp::server]
impl Orders {
    /// Takes the state.
    #[tool]
    fn by_value(self) {}

    /// Changes the state.
    #[tool]
    async fn by_mutable_reference(&mut self) {}

    /// Shares the state.
    #[resource("orders://all")]
    fn by_arc(self: Arc<Self>) -> String {
        String::new()
    }

    /// Borrows it at length.
    #[prompt]
    fn by_typed_reference(self: &Self) -> String {
        String::new()
    }

    // Not a component: it may take what it likes.
    fn free(self) {}
}

fn main() {
    Orders.free();
}
