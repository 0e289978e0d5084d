use fastmcp_rs::mcp;

struct Orders;

#[mcp::server]
impl Orders
where
    Orders: Send,
{
    /// Counts.
    #[tool]
    fn count(&self) -> usize {
        0
    }
}

fn main() {
    Orders.count();
}
