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

/// Bounds that no `i32` holds.
#[mcp::model]
pub struct Article {
    #[arg(min = -9007199254740991, max = 9007199254740991, default = 3_000_000_000, example = 5_000_000_000)]
    pub serial: i64,
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
        #[arg(min = -10, max = 1e3)]
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

#[mcp::model]
#[serde(default)]
pub struct Settings {
    #[arg(min = 1)]
    pub size: u8,
    pub status: Option<Status>,
    #[cfg(any())]
    #[arg(min = 1, default = 1)]
    pub left_out: Unknown,
}

impl Default for Settings {
    fn default() -> Self {
        Self { size: 7, status: None }
    }
}

#[mcp::model]
pub enum Choice {
    One(#[arg(max = 1)] u8),
    #[cfg(any())]
    LeftOut {
        #[arg(max = 1, default = 1)]
        unknown: Unknown,
    },
}

/// Takes and gives them.
#[mcp::tool]
pub async fn all(line: Line, count: Count, filter: &Filter, status: Option<Status>) -> Page<Line> {
    let _ = (count, filter, status);
    Page { items: vec![line] }
}

fn refusal<T: serde::de::DeserializeOwned>(json: &str) -> String {
    match serde_json::from_str::<T>(json) {
        Ok(_) => String::from("accepted"),
        Err(error) => error.to_string(),
    }
}

fn main() {
    let text = r#"{"sku": "A-1", "price": 2.5, "parts": [{"sku": "B", "parts": [], "parent": null}]}"#;
    // The list in `parts` is empty one level down, and that is where the constraint is missed.
    assert!(refusal::<Line>(text).contains("parts"), "{}", refusal::<Line>(text));
    let line = Line { article: "A-1".into(), line_count: 2, price: None, parts: vec![], parent: None };
    let json = serde_json::to_string(&line).unwrap();
    assert!(json.starts_with(r#"{"sku":"A-1","lineCount":2"#), "{json}");
    assert!(refusal::<Count>("0").contains("at least 1"), "{}", refusal::<Count>("0"));
    assert_eq!(refusal::<Count>("1"), "accepted");
    assert!(refusal::<Filter>(r#"{"kind":"Between","lowEnd":-1,"highEnd":2}"#).contains("lowEnd"));
    assert_eq!(refusal::<Filter>(r#"{"kind":"Between","highEnd":2}"#), "accepted");
    assert!(refusal::<Filter>(r#"{"kind":"Other"}"#).contains("unknown variant"));
    assert_eq!(refusal::<Status>(r#""Shipped""#), "accepted");
    assert_eq!(serde_json::from_str::<Settings>("{}").unwrap().size, 7);
    assert!(refusal::<Settings>(r#"{"size": 0}"#).contains("size"));
    assert!(refusal::<Choice>(r#"{"One": 2}"#).contains("at most 1"));

    let schema = schemars::schema_for!(Filter);
    let schema = serde_json::to_string(&schema).unwrap();
    assert!(schema.contains(r#""minimum":0"#) && schema.contains(r#""default":0"#), "{schema}");
    assert!(schema.contains(r#""minimum":-10"#), "{schema}");
    let schema = schemars::schema_for!(Line);
    let schema = serde_json::to_string(&schema).unwrap();
    for part in [
        r#""minimum":1"#,
        r#""maximum":99"#,
        r#""pattern":"^[A-Z]""#,
        r#""x-fastmcp-min-length":1"#,
        r#""x-fastmcp-max-length":8"#,
        r#""examples":["A-1"]"#,
        r#""description":"The article.""#,
        r#""minimum":0.5"#,
    ] {
        assert!(schema.contains(part), "{part} is missing in {schema}");
    }
}
