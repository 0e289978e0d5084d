//! What a server usually needs: `use fastmcp_rs::prelude::*;`.

pub use crate::{
    App, Audio, Content, Context, EmbeddedResource, Image, Level, ResourceLink, State, ToolError, ToolResult, mcp,
};
