use fastmcp_rs::mcp;

/// An order.
#[mcp::resource("Orders://{order_id}/{;line}{", size = 3, priority = -1, allow_traversal = "line")]
fn order<T>(orderid: &mut T, line: &str, #[arg(header = "X", complete = 3)] _: u8) -> impl Sized {
    (orderid, line);
}

fn main() {}
