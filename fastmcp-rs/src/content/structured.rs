//! A structured value with content of its own beside it.

use serde_json::Value;

use crate::content::Content;
use crate::content::tool_result::ToolResult;

/// A structured value with content of its own: programs read the value, and the model reads the content.
///
/// A tool that returns a plain value sends its JSON as text, too. `Structured` replaces that text. The tool's output
/// schema is that of the value. Clients before 2025-06-18, which have no structured content, get the content alone.
///
/// # Example
///
/// ```
/// use fastmcp_rs::content::Structured;
/// use fastmcp_rs::prelude::*;
///
/// #[mcp::model]
/// struct Weather {
///     celsius: f64,
///     wind: u32,
/// }
///
/// /// Reports the weather.
/// #[mcp::tool(read_only)]
/// async fn weather(city: &str) -> Structured<Weather> {
///     let weather = Weather { celsius: 21.5, wind: 12 };
///     let text = format!("{} °C in {city}, wind {} km/h", weather.celsius, weather.wind);
///     Structured::new(weather).text(text)
/// }
///
/// # #[mcp::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let app = App::empty("weather").tool::<weather>();
/// let reply = app.test_client().await?.call("weather", serde_json::json!({ "city": "Bonn" })).await?;
/// assert_eq!(reply.text(), "21.5 °C in Bonn, wind 12 km/h");
/// assert_eq!(reply.json()["structuredContent"]["wind"], 12);
/// # Ok(())
/// # }
/// ```
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#structured-content>
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Structured<T> {
    pub(crate) value: T,
    /// The content and the `_meta`; it has no structured content.
    pub(crate) rest: ToolResult,
}

impl<T> Structured<T> {
    /// Creates a structured result. Without further content its text is the JSON of the value.
    pub fn new(value: T) -> Structured<T> {
        Structured { value, rest: ToolResult::new() }
    }

    /// Adds a text.
    pub fn text(self, text: impl Into<String>) -> Structured<T> {
        self.content(Content::text(text))
    }

    /// Adds a block, such as an [`Image`](crate::Image).
    pub fn content(mut self, block: impl Into<Content>) -> Structured<T> {
        self.rest = self.rest.content(block);
        self
    }

    /// Sets a member of the result's `_meta`, which the model does not see. See [`ToolResult::meta`].
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Structured<T> {
        self.rest = self.rest.meta(key, value);
        self
    }

    /// Returns the value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Returns the value, and drops the content.
    pub fn into_value(self) -> T {
        self.value
    }

    /// Returns the blocks.
    pub fn blocks(&self) -> &[Content] {
        self.rest.blocks()
    }
}
