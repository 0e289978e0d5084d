//! The static definition of a tool, as the macro generates it.

use crate::component::metadata::ComponentDefinition;
use crate::schema::publish::ResultContent;

/// A function that `#[mcp::tool]` turned into a tool.
///
/// The macro implements it for a type with the function's name, so that a tool can be registered by hand:
/// `App::empty("x").tool::<get_order_details>()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    label = "not a function with `#[mcp::tool]`",
    note = "put `#[mcp::tool]` on a function and name that function here",
    note = "`.resource::<..>()` and `.prompt::<..>()` register the other components, and `.server::<Type>()` all methods of a type"
)]
pub trait Tool: ToolHandle {}

#[diagnostic::do_not_recommend]
impl<T: ToolHandle> Tool for T {}

/// The type that stands for a tool. Only `#[mcp::tool]` implements it, which seals [`Tool`].
#[doc(hidden)]
pub trait ToolHandle {
    /// The macro's data about the tool.
    const DEFINITION: &'static ToolDefinition;
}

/// The static definition of a tool, known at compile time.
#[doc(hidden)]
#[derive(Debug)]
pub struct ToolDefinition {
    pub component: ComponentDefinition,
    pub annotations: ToolAnnotations,
    pub results: ResultOptions,
}

impl ToolDefinition {
    pub const EMPTY: ToolDefinition = ToolDefinition {
        component: ComponentDefinition::EMPTY,
        annotations: ToolAnnotations::EMPTY,
        results: ResultOptions::EMPTY,
    };
}

/// The hints that a tool gives about its behaviour.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ToolAnnotations {
    pub read_only: Option<bool>,
    pub destructive: Option<bool>,
    pub idempotent: Option<bool>,
    pub open_world: Option<bool>,
}

impl ToolAnnotations {
    pub const EMPTY: ToolAnnotations =
        ToolAnnotations { read_only: None, destructive: None, idempotent: None, open_world: None };
}

/// The choices of a tool about the form of its results, which take precedence over those of the app.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ResultOptions {
    /// True if a single value is sent as structured content, too.
    pub structured: Option<bool>,
    /// True if modern clients get a result that is not an object inside one, as legacy clients do.
    pub wrapped: Option<bool>,
    /// True if resource links without a text get one.
    pub link_text: Option<bool>,
    /// The parts of structured results that are sent.
    pub content: Option<ResultContent>,
}

impl ResultOptions {
    pub const EMPTY: ResultOptions = ResultOptions { structured: None, wrapped: None, link_text: None, content: None };
}

/// The registration of a tool by its macro.
#[doc(hidden)]
pub struct RegisteredTool(pub &'static ToolDefinition);

inventory::collect!(RegisteredTool);
