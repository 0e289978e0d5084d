//! The imports that most servers need: `use fastmcp_rs::prelude::*;`.
//!
//! They are the macros, the app and its handle, the parameters and results of handlers, the requests to the client, and
//! the signature of [`App::authenticate`]. Names of a single subject are in the module of that subject. The module
//! [`middleware`] is in the prelude too, as in `middleware = middleware::RateLimit::per_second(10.0)`.

#[cfg(feature = "http")]
#[doc(no_inline)]
pub use crate::HttpConfig;
#[doc(no_inline)]
pub use crate::content::{Role, Structured, Text};
#[doc(no_inline)]
pub use crate::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
#[doc(no_inline)]
pub use crate::elicitation::ElicitationResult;
#[doc(no_inline)]
pub use crate::handler::Args;
#[doc(no_inline)]
pub use crate::handler::Extension;
#[cfg(feature = "http")]
#[doc(no_inline)]
pub use crate::handler::Headers;
#[cfg(feature = "http")]
#[doc(no_inline)]
pub use crate::http::request::Parts;
#[cfg(feature = "http")]
#[doc(no_inline)]
pub use crate::http_server::AccessError;
#[doc(no_inline)]
pub use crate::middleware;
#[doc(no_inline)]
pub use crate::sampling::SamplingRequest;
#[cfg(feature = "settings")]
#[doc(no_inline)]
pub use crate::settings::Settings;
#[doc(no_inline)]
pub use crate::{
    App, AppHandle, Audio, ClientRequestError, CompletionRequest, Content, Context, EmbeddedResource, Image,
    LoggingLevel, Message, Principal, ResourceContents, ResourceLink, State, ToolError, ToolResult, mcp,
};
// `#[tool]` is enough under `#[mcp::server]`. Without that attribute, these report what is missing.
#[doc(hidden)]
pub use fastmcp_rs_macros::{prompt, prompt_handler, prompt_router, resource, tool, tool_handler, tool_router};
