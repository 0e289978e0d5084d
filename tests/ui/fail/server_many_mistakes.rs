use fastmcp_rs::mcp;

struct Orders;

struct Plain;

#[mcp::server]
impl Orders {
    /// Finds an order.
    #[tool]
    async fn find<T>(&self, #[arg(min = 3, max = 2)] id: u8, order: T) {}

    /// Takes what has no JSON form.
    #[tool]
    async fn take(&self, plain: Plain) {}

    /// Reads an order.
    #[resource("orders://{id}")]
    fn read(&self, order_id: &str) -> String {
        String::new()
    }

    /// Has options where there are none.
    #[tool]
    fn options(#[arg(default = 1)] &self) -> Self {
        Orders
    }

    /// Leaves a type out.
    #[tool]
    fn placeholder(&self) -> _ {
        1
    }

    /// Is fine.
    #[tool]
    fn fine(&self) {}
}

fn main() {
    fastmcp_rs::App::empty("orders").server::<Orders>();
}
