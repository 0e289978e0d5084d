//! The imports that most servers need: `use fastmcp_rs::prelude::*;`.

pub use crate::{
    App, Audio, Content, Context, EmbeddedResource, Image, Level, ResourceLink, State, ToolError, ToolResult, mcp,
};
