//! Every option there is.

use fastmcp_rs::mcp;

/// Ignored, as there is a `description`.
#[mcp::tool(
    name = "orders.get-all",
    title = "Get the orders",
    description = concat!("Gets ", "them."),
    read_only,
    destructive = false,
    idempotent = true,
    open_world = false,
    tags = ["orders", "read"],
    icons = [
        "https://example.com/icon.png",
        { src = "data:image/png;base64,AA==", mime_type = "image/png", sizes = ["48x48", "any"], theme = "dark" },
    ],
    meta = { "team": "billing", "deep": { "n": [1, -2.5, null, true] } },
    blocking = true,
    timeout = "1m30s",
    middleware = [::fastmcp_rs::middleware::Timing::new()],
    handle = GetOrders,
    crate = ::fastmcp_rs,
)]
fn get_orders(
    /** The reference. */
    #[arg(
        default = "ORD-101",
        min_length = 1,
        max_length = 20,
        pattern = "^ORD-[0-9]+$",
        rename = "orderId",
        example = "ORD-101",
        example = "ORD-102",
        header = "Order-Id"
    )]
    order_id: &str,
    /// How many.
    ///
    /// All by default.
    #[arg(min = 0, max = 100)]
    limit: Option<u32>,
    #[arg(min = -0.5, max = 1e3, default = 1)] factor: f64,
    #[arg(min_length = 1)] words: Vec<String>,
    #[arg(default = true)] flag: bool,
) -> String {
    format!("{order_id} {limit:?} {factor} {words:?} {flag}")
}

fn main() {}
