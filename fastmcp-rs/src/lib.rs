//! A framework for servers of the [Model Context Protocol](https://modelcontextprotocol.io).
//!
//! Put [`#[mcp::tool]`](macro@mcp::tool) on a function, and the crate provides its schema, its descriptions and its
//! dispatch, speaks every revision of the protocol, and reports errors that a model can act on.
//!
//! ```no_run
//! use fastmcp_rs::prelude::*;
//!
//! /// Greets someone by name.
//! #[mcp::tool]
//! fn hello(name: &str) -> String {
//!     format!("Hello, {name}!")
//! }
//!
//! #[mcp::main]
//! async fn main() -> Result<(), fastmcp_rs::Error> {
//!     App::new("hello").run_stdio().await
//! }
//! ```
//!
//! # Where to look
//!
//! - [`mcp::tool`](macro@mcp::tool): parameters, results and options of a tool.
//! - [`mcp::server`](macro@mcp::server): tools, resources and prompts as methods.
//! - [`mcp::model`](macro@mcp::model): your own types as arguments and results.
//! - [`App`]: building a server and running it.
//! - [`Context`]: progress, log messages and the caller's identity.
//! - [`State`] and [`FromContext`]: values that a handler takes besides its arguments.
//! - [`ToolError`]: errors for the model and errors for the operator.
//! - [`middleware`]: middleware around every operation, such as rate limits.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `stdio` (default) | [`App::run_stdio`] |
//! | `http` | [`App::run_http`], and [`App::into_service`] to mount the app in an existing HTTP server |
//! | `tls` | [`HttpConfig::tls`]: HTTPS, with certificates that are renewed while the server runs |
//! | `h2` | HTTP/2 beside HTTP/1.1 |
//! | `legacy-sse` | `HttpConfig::legacy_sse`: the HTTP+SSE transport of 2024-11-05, for clients that support nothing newer |
//! | `metrics` | `App::metrics` and `HttpConfig::metrics`: metrics of a running server for Prometheus |
//! | `otel` | traces for OpenTelemetry, sent by OTLP as the variables `OTEL_…` configure it (enables `logging`) |
//! | `logging` | `crate::telemetry::logging::init`: a `tracing` subscriber on standard error that never blocks; `crate::telemetry::logging::ClientLayer`: sends the events of a call to its client |
//! | `schema-validation` | all of JSON Schema for [`DynamicTool`]s, through the crate `jsonschema` |
//! | `testing` | `testing`: an in-process client and lock files of tools, for tests |
//! | `chrono`, `jiff`, `uuid`, `url`, `decimal` | types of these crates (chrono 0.4, jiff 0.2, uuid 1, url 2, rust_decimal 1) as arguments and results |
//!
//! # Promises
//!
//! Every request that can be read gets exactly one response, or none if it was cancelled. A panic of a handler becomes
//! an error response. Text that a tool prints never reaches the client. Everything that a peer can make grow is
//! bounded. The text of an error reaches the model only if its author meant it to.

// On Windows one file needs `unsafe` for system calls that have no safe equivalent:
// `platform/stdio/windows.rs`.
#![cfg_attr(not(windows), forbid(unsafe_code))]
#![cfg_attr(windows, deny(unsafe_code))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod app;
mod auth;
mod checks;
mod client_features;
mod component;
pub(crate) mod content;
mod context;
mod engine;
mod error;
mod exec;
#[cfg(fuzzing)]
pub mod fuzzing;
mod json;
pub mod mcp;
pub mod middleware;
mod outgoing;
mod platform;
pub mod prelude;
mod protocol;
mod registry;
mod schema;
mod sealing;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod util;

pub use app::{App, EndApp, Handle, MakeState};
pub use auth::principal::Principal;
pub use checks::problem::Problem;
pub use client_features::AskError;
pub use client_features::elicitation::Elicited;
pub use client_features::form::{Form, FormChoice, FormField};
pub use client_features::roots::Root;
pub use client_features::sampling::{
    ModelPreferences, Sampled, Sampling, SamplingContent, SamplingMessage, SamplingTool, ToolChoice, ToolUse,
    ToolUseResult,
};
pub use component::completion_request::Completing;
pub use component::component_set::Server;
pub use component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
pub use component::extract::{FromContext, Requirements, State};
pub use component::icon::Icon;
pub use component::output::{IntoContent, StructuredOutput};
pub use component::parameter::ToolArgument;
pub use component::prompt::{IntoMessages, Prompt};
pub use component::resource::{IntoResource, Resource};
pub use component::tool::Tool;
pub use content::Text;
pub use content::message::Message;
pub use content::resource_contents::ResourceContents;
pub use content::tool_result::ToolResult;
pub use content::{Annotations, Audio, Content, EmbeddedResource, Image, ResourceLink, Role};
pub use context::client_requests::Ask;
pub use context::request_id::RequestId;
pub use context::{ClientInfo, Context, Track, Transport};
pub use error::{Error, ToolError};
#[cfg(feature = "stdio")]
pub use platform::stdio::policy::StdoutPolicy;
pub use protocol::trace_context::TraceContext;
pub use protocol::{CacheScope, Feature, Level, Revision};
pub use registry::{Component, ComponentKind, Selector};
pub use sealing::SealingKey;
#[cfg(feature = "logging")]
pub use telemetry::logging;
#[cfg(feature = "metrics")]
pub use telemetry::metrics::Metrics;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use transport::http::Tls;
#[cfg(feature = "http")]
pub use transport::http::{AccessError, Authenticate, HttpConfig, HttpService, RequestBody, ResponseBody, SessionMode};
