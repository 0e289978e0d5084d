//! Every kind of result.

use fastmcp_rs::content::Structured;
use fastmcp_rs::{Content, ToolError, ToolResult, mcp};

#[mcp::model]
struct Order {
    id: String,
}

macro_rules! tools {
    ($($name:ident -> $ty:ty = $value:expr;)*) => {$(
        /// Returns it.
        #[mcp::tool]
        async fn $name() -> $ty {
            $value
        }
    )*};
}

tools! {
    unit -> () = ();
    number -> f32 = 1.5;
    flag -> bool = true;
    text -> String = String::new();
    option -> Option<String> = None;
    option_order -> Option<Order> = None;
    structured -> Order = Order { id: String::new() };
    list -> Vec<Order> = Vec::new();
    tuple -> (u8, Order) = (1, Order { id: String::new() });
    content -> Vec<Content> = Vec::new();
    full -> ToolResult = ToolResult::new();
    own_text -> Structured<Order> = Structured::new(Order { id: String::new() }).text("an order");
    own_text_list -> Result<Structured<Vec<Order>>, ToolError> = Ok(Structured::new(Vec::new()));
    own_text_option -> Option<Structured<Order>> = None;
    fallible -> Result<Order, ToolError> = Err(ToolError::new("no"));
    masked -> Result<Vec<Content>, std::io::Error> = Ok(Vec::new());
    boxed -> Result<(), Box<dyn std::error::Error + Send + Sync>> = Ok(());
}

/// Composes its result.
#[mcp::tool(output_schema = Vec<Order>, result_content = "structured")]
async fn composed() -> Result<ToolResult, ToolError> {
    Ok(ToolResult::new().structured(Vec::<Order>::new())?)
}

/// Composes its result from what it borrows.
#[mcp::tool(output_schema = Order)]
fn composed_at_once(id: &str) -> ToolResult {
    ToolResult::text(id)
}

/// Returns nothing.
#[mcp::tool]
async fn nothing() {}

/// Asks for more.
#[mcp::tool]
async fn question(text: &str) -> Result<u64, ToolError> {
    let number: u64 = text.parse()?;
    Ok(number)
}

fn main() {}
