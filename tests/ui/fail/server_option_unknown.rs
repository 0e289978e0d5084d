use fastmcp_rs::mcp;

struct Orders;

#[mcp::server(name = "orders")]
impl Orders {
    /// Counts.
    #[tool]
    fn count(&self) -> usize {
        0
    }
}

fn main() {
    fastmcp_rs::App::empty("orders").server::<Orders>();
}
