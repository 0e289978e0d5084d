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
//! - [`ToolError`]: errors for the model and errors for the operator.
//! - [`prelude`]: the imports that most servers need.
//!
//! | module | contents |
//! |---|---|
//! | [`handler`] | parameters and results of handlers: [`State`], [`FromContext`](handler::FromContext), [`IntoContent`](handler::IntoContent) |
//! | [`content`] | blocks of results, messages of prompts, contents of resources |
//! | [`context`] | facts about a request and its client |
//! | [`elicitation`], [`sampling`], [`roots`] | requests to the client: its person, its model, its folders |
//! | [`dynamic`] | components that are known only at run time |
//! | [`visibility`] | components that only some callers see, and components that are turned off |
//! | [`middleware`] | code around every operation, such as rate limits |
//! | `stdio`, `http_server` | settings of the transports |
//! | `logging`, `metrics` | log lines, traces and metrics |
//! | `settings` | settings of operators from the environment and a file |
//! | `testing` | an in-process client and lock files of tools |
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
//! | `axum` | complete paths for `HttpService::legacy_sse` inside nested routers of axum 0.8 (enables `legacy-sse`) |
//! | `metrics` | `App::metrics` and `HttpConfig::metrics`: metrics of a running server for Prometheus |
//! | `otel` | traces for OpenTelemetry, sent by OTLP as the variables `OTEL_…` configure it (enables `logging`) |
//! | `logging` | `logging::init`: a `tracing` subscriber on standard error that never blocks; `logging::ClientLayer`: sends the events of a call to its client |
//! | `settings` | `settings`: settings of operators from environment variables and a TOML file |
//! | `schema-validation` | all of JSON Schema for [`DynamicTool`](dynamic::DynamicTool)s, through the crate `jsonschema` |
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
// A panic outside of a handler would end the connection of a peer.
#![cfg_attr(not(any(test, fuzzing)), warn(clippy::expect_used, clippy::unwrap_used))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod app;
mod auth;
mod checks;
mod client_features;
mod component;
pub mod content;
pub mod context;
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
#[cfg(feature = "settings")]
pub mod settings;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod util;

pub use app::{App, AppHandle};
pub use auth::principal::Principal;
pub use checks::problem::Problem;
pub use client_features::ClientRequestError;
pub use component::completion_request::CompletionRequest;
pub use component::extract::State;
pub use component::icon::{Icon, IconTheme};
#[doc(inline)]
pub use content::{Audio, Content, EmbeddedResource, Image, Message, ResourceContents, ResourceLink, ToolResult};
#[doc(inline)]
pub use context::Context;
pub use error::{Error, ToolError};
pub use protocol::{CacheScope, Feature, LoggingLevel, Revision};
pub use sealing::SealingKey;
#[cfg(feature = "http")]
pub use transport::http::HttpConfig;
// Crates whose types are in public signatures, in the versions that this crate uses. The modules `http_server` and
// `logging` have those that belong to them. serde and serde_json are left out: the names of their variants, such as
// `Value::String`, would make rustc write `std::string::String` in the errors of every program.
#[cfg(feature = "tls")]
#[doc(no_inline)]
pub use rustls;
#[doc(no_inline)]
pub use schemars;
#[cfg(feature = "http")]
#[doc(no_inline)]
pub use {http, http_body};

pub mod handler {
    //! Handlers: the functions behind tools, resources and prompts, their parameters and their results.
    //!
    //! Types implement these traits so that functions can take and return them. Of the parameters, every type with
    //! serde's `Deserialize` and schemars' `JsonSchema` is a [`ToolArgument`], and [`FromContext`] makes an extractor
    //! of any other type. Of the results, [`IntoContent`], [`IntoResource`] and [`IntoMessages`] are for types with a
    //! better form than JSON. The tables at [`mcp::tool`](macro@crate::mcp::tool),
    //! [`mcp::resource`](macro@crate::mcp::resource) and [`mcp::prompt`](macro@crate::mcp::prompt) list the types that
    //! have them.
    //!
    //! [`Tool`], [`Resource`], [`Prompt`] and [`ComponentSet`] are the traits of the types that the macros generate,
    //! for registration by hand; [`StateFactory`] and [`ShutdownHook`] are those of the functions that an
    //! [`App`](crate::App) runs at its start and its end.
    //!
    //! # Example: an extractor
    //!
    //! ```
    //! use fastmcp_rs::handler::FromContext;
    //! use fastmcp_rs::prelude::*;
    //!
    //! /// The name of the caller.
    //! struct Caller(String);
    //!
    //! impl FromContext for Caller {
    //!     type Error = ToolError;
    //!
    //!     async fn from_context(context: &Context) -> Result<Self, ToolError> {
    //!         let principal = context.principal().ok_or_else(|| ToolError::new("Log in first."))?;
    //!         Ok(Caller(principal.id().to_owned()))
    //!     }
    //! }
    //!
    //! /// Greets the caller.
    //! #[mcp::tool]
    //! async fn greet(caller: Caller) -> String {
    //!     format!("Hello, {}!", caller.0)
    //! }
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server>

    pub use crate::app::{ShutdownHook, StateFactory};
    pub use crate::component::component_set::ComponentSet;
    pub use crate::component::extract::{ExtractorError, FromContext, OptionalFromContext, Requirements};
    pub use crate::component::flatten::Args;
    pub use crate::component::output::{IntoContent, StructuredOutput};
    pub use crate::component::parameter::ToolArgument;
    pub use crate::component::prompt::{IntoMessages, Prompt};
    pub use crate::component::request_extractors::Extension;
    #[cfg(feature = "http")]
    pub use crate::component::request_extractors::Headers;
    pub use crate::component::resource::{IntoResource, Resource};
    pub use crate::component::tool::Tool;
    pub use crate::context::transport_facts::ClientAddr;
    // rustc names these in its notes, by the path of a public module.
    #[doc(hidden)]
    pub use crate::component::{
        arg_checks::{
            ConfigurableArgument, ExtensionValue, FlagDefault, FloatDefault, HeaderValue, InjectedParameter,
            IntegerDefault, KnownDefault, KnownHeader, ListDefault, NamedArgument, TemplateVariable, TextDefault,
        },
        completion::{CompletionHandler, complete},
        component_set::ServerBlockWithoutExtend,
        computed_default::{IntoDefault, PublishedDefault},
        flatten::{ArgsKind, ConfigurableArgs},
        invocation::Call,
        model::{InputField, ModelField, OutputField, ReadableModel, WritableModel},
        output::{
            ComposedOutput, HandlerError, OutputSchema, ReadableOutput, RefusedBytes, RefusedError, RefusedModel,
            UncheckedStructured, ValueType,
        },
        parameter::{Argument, ArgumentKind, InjectedKind, OutputOnlyKind, receiver},
        prompt::{PromptHandle, UncheckedMessages},
        resource::{JsonResource, ResourceHandle, UncheckedJson},
        tool::ToolHandle,
    };
    #[doc(hidden)]
    pub use crate::context::blocking::{run_blocking, run_blocking_async};
    #[doc(hidden)]
    pub use crate::error::{OwnedError, convert_typed};
    #[doc(no_inline)]
    pub use crate::{CompletionRequest, Context, State, ToolError};
}

pub mod elicitation {
    //! Elicitation: questions to the person at the client.
    //!
    //! [`Context::elicit`](crate::Context::elicit) asks for a [`Form`], which is a type with
    //! [`#[mcp::model]`](macro@crate::mcp::model), and returns an [`ElicitationResult`].
    //! [`Context::elicit_url`](crate::Context::elicit_url) asks the person to open a page.
    //!
    //! # Example
    //!
    //! ```
    //! use fastmcp_rs::prelude::*;
    //!
    //! /// Cancels an order.
    //! #[mcp::tool(destructive)]
    //! async fn cancel_order(order_id: &str, ctx: &Context) -> Result<String, ToolError> {
    //!     match ctx.elicit::<bool>(format!("Cancel {order_id}?")).await? {
    //!         ElicitationResult::Accepted(true) => Ok(format!("{order_id} is cancelled.")),
    //!         _ => Ok(format!("{order_id} is unchanged.")),
    //!     }
    //! }
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>

    pub use crate::client_features::elicitation::ElicitationResult;
    pub use crate::client_features::form::{Form, FormChoice, FormField};
    // rustc names these in its notes, by the path of a public module.
    #[doc(hidden)]
    pub use crate::client_features::form::{FieldOf, FormMember};
    #[doc(no_inline)]
    pub use crate::{ClientRequestError, context::ClientRequest};
}

pub mod sampling {
    //! Sampling: requests to the client's model.
    //!
    //! [`Context::sample`](crate::Context::sample) sends a [`SamplingRequest`] and returns a [`SamplingResult`].
    //!
    //! # Example
    //!
    //! ```
    //! use fastmcp_rs::prelude::*;
    //!
    //! /// Sums up a text in one sentence.
    //! #[mcp::tool]
    //! async fn sum_up(text: &str, ctx: &Context) -> Result<String, ToolError> {
    //!     let request = SamplingRequest::new(format!("Sum this up in one sentence:\n\n{text}")).max_tokens(200);
    //!     Ok(ctx.sample(request).await?.text())
    //! }
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>

    pub use crate::client_features::sampling::{
        ModelPreferences, SamplingContent, SamplingMessage, SamplingRequest, SamplingResult, SamplingTool, ToolChoice,
        ToolResultContent, ToolUseContent,
    };
    #[doc(no_inline)]
    pub use crate::{ClientRequestError, context::ClientRequest};
}

pub mod roots {
    //! Roots: the folders that the client's user has opened for the server.
    //!
    //! [`Context::roots`](crate::Context::roots) requests them.
    //!
    //! # Example
    //!
    //! ```
    //! use fastmcp_rs::prelude::*;
    //!
    //! /// Lists the folders that this server may work in.
    //! #[mcp::tool]
    //! async fn folders(ctx: &Context) -> Result<String, ToolError> {
    //!     let uris: Vec<String> = ctx.roots().await?.into_iter().map(|root| root.uri).collect();
    //!     Ok(uris.join("\n"))
    //! }
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/roots>

    pub use crate::client_features::roots::Root;
    #[doc(no_inline)]
    pub use crate::{ClientRequestError, context::ClientRequest};
}

pub mod dynamic {
    //! Components that are known only at run time: tools, resources and prompts made of a name, a schema and a closure.
    //!
    //! [`App::add_tool`](crate::App::add_tool) and its siblings add them before the app is served, and an
    //! [`AppHandle`] while it is served.
    //!
    //! # Example
    //!
    //! ```
    //! use fastmcp_rs::prelude::*;
    //! use serde_json::{Map, Value, json};
    //!
    //! let schema = json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] });
    //! let echo = DynamicTool::new("echo", schema, |arguments: Map<String, Value>, _| async move {
    //!     Ok::<_, ToolError>(arguments["text"].as_str().unwrap_or_default().to_owned())
    //! });
    //! let app = App::empty("echo").add_tool(echo.description("Returns its text.").read_only(true));
    //! assert!(app.check().is_ok());
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server>

    #[doc(no_inline)]
    pub use crate::AppHandle;
    pub use crate::component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
}

pub mod model {
    //! Models: the types of arguments and results.
    //!
    //! [`#[mcp::model]`](crate::mcp::model) derives all that they need. This module has the error of parsing an enum of
    //! names.
    //!
    //! # Example
    //!
    //! ```
    //! use fastmcp_rs::model::UnknownNameError;
    //! use fastmcp_rs::prelude::*;
    //!
    //! /// The urgency of an issue.
    //! #[mcp::model]
    //! #[serde(rename_all = "lowercase")]
    //! enum Priority {
    //!     Low,
    //!     High,
    //! }
    //!
    //! let priority: Result<Priority, UnknownNameError> = "high".parse();
    //! assert_eq!(priority.unwrap().as_str(), "high");
    //! ```

    // rustc names these in its notes, by the path of a public module.
    #[doc(hidden)]
    pub use crate::component::model::{input_field, model_field, output_field};
    pub use crate::component::model_names::UnknownNameError;
}

pub mod visibility {
    //! Visibility: the components that a caller sees, and the components that are turned off.
    //!
    //! [`App::visible_if`](crate::App::visible_if) decides per request: a [`Component`] that it hides is left out of
    //! lists, and a call of it is answered as if it did not exist. A [`Selector`] names components that an
    //! [`AppHandle`](crate::AppHandle) disables for every caller.
    //!
    //! # Example
    //!
    //! ```
    //! use fastmcp_rs::prelude::*;
    //! use fastmcp_rs::visibility::Selector;
    //!
    //! let app = App::empty("orders").visible_if(|component, ctx| {
    //!     !component.has_tag("admin") || ctx.principal().is_some_and(|principal| principal.id() == "ada")
    //! });
    //! app.handle().disable(Selector::tag("beta"));
    //! # assert!(app.check().is_ok());
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server>

    pub use crate::registry::{Component, ComponentKind, Selector};
}

#[cfg(feature = "stdio")]
pub mod stdio {
    //! The transport on standard input and output: [`App::run_stdio`](crate::App::run_stdio).
    //!
    //! # Example
    //!
    //! ```no_run
    //! use fastmcp_rs::prelude::*;
    //! use fastmcp_rs::stdio::StdoutPolicy;
    //!
    //! #[mcp::main]
    //! async fn main() -> Result<(), fastmcp_rs::Error> {
    //!     App::new("orders").stdout(StdoutPolicy::Discard).run_stdio().await
    //! }
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports#stdio>

    pub use crate::platform::stdio::policy::StdoutPolicy;
}

#[cfg(feature = "http")]
pub mod http_server {
    //! The transport on Streamable HTTP: [`App::run_http`](crate::App::run_http), or the [`HttpService`] of
    //! [`App::into_service`](crate::App::into_service) in an existing HTTP server.
    //!
    //! [`HttpConfig`] has the settings, [`Authenticate`] and [`AccessError`] are for
    //! [`App::authenticate`](crate::App::authenticate), and [`RequestBody`] for [`App::routes`](crate::App::routes).
    //!
    //! # Example
    //!
    //! ```no_run
    //! use fastmcp_rs::prelude::*;
    //!
    //! async fn by_key(parts: &Parts) -> Result<Principal, AccessError> {
    //!     match parts.headers.get("x-api-key") {
    //!         // Compare secrets in constant time, for instance by comparing their digests.
    //!         Some(key) if key == "secret" => Ok(Principal::new("ada")),
    //!         _ => Err(AccessError::unauthorized()),
    //!     }
    //! }
    //!
    //! #[mcp::main]
    //! async fn main() -> Result<(), fastmcp_rs::Error> {
    //!     let config = HttpConfig::new().allowed_hosts(["mcp.example.com"]).max_body(1 << 20);
    //!     App::new("orders").authenticate(by_key).http(config).run_http("0.0.0.0:8080").await
    //! }
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports#streamable-http>

    #[doc(no_inline)]
    pub use tokio::net::TcpListener;
    #[cfg(unix)]
    #[doc(no_inline)]
    pub use tokio::net::UnixListener;
    #[doc(no_inline)]
    pub use tower_service::Service;

    #[cfg(feature = "tls")]
    pub use crate::transport::http::Tls;
    pub use crate::transport::http::{AccessError, Authenticate, HttpService, RequestBody, ResponseBody, SessionMode};
    #[doc(no_inline)]
    pub use crate::{HttpConfig, Principal, SealingKey};
}

#[cfg(feature = "metrics")]
pub mod metrics {
    //! Metrics of a running server, in the text format of Prometheus.
    //!
    //! [`App::metrics`](crate::App::metrics) turns them on and returns the [`Metrics`]. `HttpConfig::metrics` serves
    //! them at `GET /metrics`.
    //!
    //! # Example
    //!
    //! ```
    //! use fastmcp_rs::prelude::*;
    //!
    //! let app = App::empty("orders");
    //! let metrics = app.metrics();
    //! assert!(metrics.render().contains("mcp_"));
    //! ```

    pub use crate::telemetry::metrics::Metrics;
}

#[cfg(feature = "logging")]
pub mod logging {
    //! A ready-made `tracing` subscriber for servers, and a layer that forwards the events of a call to its client.
    //!
    //! # Example
    //!
    //! ```no_run
    //! use fastmcp_rs::logging::{self, ClientLayer, Options};
    //! use fastmcp_rs::prelude::*;
    //!
    //! #[mcp::main]
    //! async fn main() -> Result<(), fastmcp_rs::Error> {
    //!     logging::init_with(Options::new().requests(true).to_clients(ClientLayer::new()));
    //!     App::new("orders").run_stdio().await
    //! }
    //! ```
    //!
    //! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging>

    #[cfg(feature = "otel")]
    pub use crate::telemetry::logging::otel_layer;
    pub use crate::telemetry::logging::{ClientLayer, Format, Options, init, init_with};
    #[doc(no_inline)]
    pub use tracing;
}
