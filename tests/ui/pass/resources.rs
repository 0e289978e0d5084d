//! Every kind of URI, of result and of option.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fastmcp_rs::{CompletionRequest, Context, ResourceContents, State, ToolError, mcp};

#[mcp::model]
struct Order {
    id: String,
}

/// A name that is longer than needed.
type Maybe<T> = Option<T>;

macro_rules! resources {
    ($($name:ident $uri:literal -> $ty:ty = $value:expr;)*) => {$(
        /// Reads it.
        #[mcp::resource($uri)]
        async fn $name() -> $ty {
            $value
        }
    )*};
}

resources! {
    text "r://text" -> String = String::new();
    slice "r://slice" -> &'static str = "text";
    bytes "r://bytes" -> Vec<u8> = Vec::new();
    json "r://json" -> Order = Order { id: String::new() };
    list "r://list" -> Vec<Order> = Vec::new();
    map "r://map" -> BTreeMap<String, f64> = BTreeMap::new();
    number "r://number" -> u64 = 1;
    contents "r://contents" -> ResourceContents = ResourceContents::text("text");
    several "r://several" -> Vec<ResourceContents> = vec![ResourceContents::blob(b"bytes")];
    option "r://option" -> Option<Vec<u8>> = None;
    fallible "r://fallible" -> Result<Order, ToolError> = Err(ToolError::new("no"));
    masked "r://masked" -> Result<Option<String>, std::io::Error> = Ok(None);
}

fn tables(completing: CompletionRequest, state: State<Vec<String>>) -> Vec<String> {
    let _ = completing;
    state.to_vec()
}

mod rows {
    use fastmcp_rs::{CompletionRequest, ToolError};

    pub async fn kinds(completing: CompletionRequest) -> Result<Vec<String>, ToolError> {
        Ok(vec![completing.text().to_owned()])
    }
}

/// Every option there is.
#[mcp::resource(
    "tables://{table}/{+rest}{.kind}{/type}{?limit,offset,order}{&words}",
    name = "rows of a table",
    title = "Rows",
    description = concat!("Rows of ", "a table."),
    mime_type = "application/json; charset=utf-8",
    audience = ["user", "assistant"],
    priority = 0.8,
    last_modified = "2026-01-31T12:00:00Z",
    allow_traversal = ["rest"],
    ttl = "1h",
    scope = "private",
    tags = ["tables"],
    icons = ["https://example.com/icon.png"],
    meta = { "team": "data" },
    timeout = "2s",
    blocking = true,
    handle = Rows,
    crate = ::fastmcp_rs,
)]
#[allow(clippy::too_many_arguments)]
fn rows_of(
    /// The table.
    #[arg(max_length = 20, pattern = "^[a-z]+$", example = "orders", complete = tables)]
    table: &str,
    rest: String,
    #[arg(complete = rows::kinds)] kind: Option<&str>,
    r#type: Maybe<String>,
    #[arg(default = 10, min = 1, max = 100)] limit: u32,
    #[arg(rename = "offset")] skip: Option<u64>,
    order: Option<Order>,
    words: Option<&[String]>,
    context: &Context,
    state: State<Vec<String>>,
) -> String {
    let _ = (context, state);
    format!("{table} {rest} {kind:?} {type:?} {limit} {skip:?} {} {words:?}", order.is_some(), r#type = r#type)
}

/// A whole path.
#[mcp::resource("file:///{path*}", inline)]
fn file(path: &str) -> Option<&str> {
    Some(path.trim())
}

/// A part, with a size of one.
#[mcp::resource("docs://app{#part}", priority = 1)]
async fn part(part: Option<&str>) -> Result<Cow<'_, str>, ToolError> {
    part.map(Cow::Borrowed).ok_or_else(|| ToolError::new("no part"))
}

/// Bytes that are lent.
#[mcp::resource("docs://bytes/{x}", blocking)]
async fn lent(x: &str) -> &[u8] {
    x.as_bytes()
}

/// The settings.
#[mcp::resource("config://app?kind=all", size = 1_234)]
fn config(state: State<u8>) -> String {
    state.to_string()
}

fn main() {
    assert_eq!(file(" a "), Some("a"));
    let _ = fastmcp_rs::App::empty("x").resource::<Rows>().resource::<config>();
}
