//! Models are as good as types that derive by hand, and need no other crate.
#![deny(warnings)]

use fastmcp_rs::mcp;

/// A line of an order.
#[mcp::model]
#[derive(Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// The article.
    #[arg(rename = "sku", min_length = 1, max_length = 8, pattern = "^[A-Z]", example = "A-1")]
    pub article: String,
    /// How many.
    #[arg(min = 1, max = 99, default = 1)]
    pub line_count: u32,
    #[arg(min = 0.5)]
    #[serde(default)]
    pub price: Option<f64>,
    #[arg(min_length = 1)]
    pub parts: Vec<Line>,
    pub parent: Option<Box<Self>>,
}

#[mcp::model]
pub struct Count(#[arg(min = 1)] pub u32);

#[mcp::model]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum Filter {
    /// All of them.
    All,
    Between {
        #[arg(min = 0, default = 0)]
        low_end: i64,
        high_end: i64,
    },
}

#[mcp::model]
pub enum Status {
    Shipped,
    Processing,
}

#[mcp::model]
pub struct Page<T> {
    pub items: Vec<T>,
}

#[mcp::model]
pub struct Borrowed<'a> {
    pub text: &'a str,
}

#[mcp::model]
pub struct Unit;

/// Takes and gives them.
#[mcp::tool]
pub async fn all(line: Line, count: Count, filter: &Filter, status: Option<Status>) -> Page<Line> {
    let _ = (count, filter, status);
    Page { items: vec![line] }
}

fn main() {}
