#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod app;
mod blocking;
mod component;
mod context;
mod engine;
mod error;
#[cfg(feature = "logging")]
pub mod logging;
pub mod mcp;
mod operator;
mod outbox;
mod panics;
pub mod prelude;
mod protocol;
mod registry;
mod runtime;
mod schema;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;

pub use app::App;
pub use component::inject::{FromContext, Requirements, State};
pub use component::output::{IntoContent, StructuredOutput};
pub use component::parameter::ToolArgument;
pub use component::result::ToolResult;
pub use component::tool::Tool;
pub use context::{ClientInfo, Context, Transport};
pub use error::{Error, ToolError};
pub use protocol::content::Text;
pub use protocol::{Annotations, Audio, Content, EmbeddedResource, Image, Level, ResourceLink, Revision, Role};
pub use registry::CacheScope;
#[cfg(feature = "stdio")]
pub use transport::stdio::StdoutPolicy;
