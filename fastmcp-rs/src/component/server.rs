//! The components of a type: what `#[mcp::server]` makes of an `impl` block.

use super::prompt::PromptDefinition;
use super::resource::ResourceDefinition;
use super::tool::ToolDefinition;

/// A type with methods that are tools, resources and prompts.
///
/// [`#[mcp::server]`](macro@crate::mcp::server) implements it, so that all of them can be registered by
/// hand: see [`App::server`](crate::App::server).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no tools, resources or prompts",
    label = "no `impl` block of it is a server",
    note = "put `#[mcp::server]` on the `impl` block of the type, and `#[tool]`, `#[resource(\"..\")]` or `#[prompt]` on its methods"
)]
pub trait Server {
    #[doc(hidden)]
    const TOOLS: &'static [&'static ToolDefinition];
    #[doc(hidden)]
    const RESOURCES: &'static [&'static ResourceDefinition];
    #[doc(hidden)]
    const PROMPTS: &'static [&'static PromptDefinition];
}
