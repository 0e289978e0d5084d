//! Every kind of result.

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
    fallible -> Result<Order, ToolError> = Err(ToolError::new("no"));
    masked -> Result<Vec<Content>, std::io::Error> = Ok(Vec::new());
    boxed -> Result<(), Box<dyn std::error::Error + Send + Sync>> = Ok(());
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
