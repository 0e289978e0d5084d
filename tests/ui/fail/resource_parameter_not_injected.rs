use fastmcp_rs::mcp;

#[mcp::model]
struct Filter {
    words: Vec<String>,
}

/// An order.
#[mcp::resource("orders://{order_id}")]
fn order(order_id: &str, filter: crate::Filter) -> String {
    format!("{order_id} {:?}", filter.words)
}

fn main() {}
