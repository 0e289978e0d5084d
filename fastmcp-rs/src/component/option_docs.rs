//! The options of the macros as items, which editors show and complete.
//!
//! rust-analyzer reads an import of these items in place of the options of an attribute. The type of an item is that of
//! the option's value.

#![allow(non_upper_case_globals)]

/// A number, as in `min = 1` or `max = 0.5`.
#[derive(Debug)]
pub struct Number;

/// A list of strings, as in `["orders"]`.
#[derive(Debug)]
pub struct Strings;

/// A JSON object, as in `{ "team": "billing" }`.
#[derive(Debug)]
pub struct Json;

/// A value of the argument's type: a literal, or an expression.
#[derive(Debug)]
pub struct Value;

/// A duration with its unit, as in `"30s"`: `ms`, `s`, `m` or `h`.
#[derive(Debug)]
pub struct Duration;

/// A rule for names: `"lowercase"`, `"UPPERCASE"`, `"PascalCase"`, `"camelCase"`, `"snake_case"`,
/// `"SCREAMING_SNAKE_CASE"`, `"kebab-case"` or `"SCREAMING-KEBAB-CASE"`.
#[derive(Debug)]
pub struct NamingRule;

/// The name of a type.
#[derive(Debug)]
pub struct TypeName;

/// One layer, or a list of layers in brackets.
#[derive(Debug)]
pub struct Layers;

/// The path of a function.
#[derive(Debug)]
pub struct Function;

/// Options of all components.
pub mod component {
    use super::{Duration, Json, Layers, NamingRule, Strings, TypeName};

    /// Names the component for clients. The default is the name of the function.
    pub const name: &str = "";
    /// Names the component for people. The default is the name in words: `get_order` becomes "Get Order".
    pub const title: &str = "";
    /// Replaces the doc comment as the description.
    pub const description: &str = "";
    /// Tags, published as `_meta.fastmcp.tags`: `tags = ["billing"]`.
    pub const tags: Strings = Strings;
    /// Icons: `icons = ["https://…/a.png", { src = "…", mime_type = "…", sizes = ["48x48"], theme = "dark" }]`.
    pub const icons: Strings = Strings;
    /// The component's `_meta`: `meta = { "team": "billing" }`.
    pub const meta: Json = Json;
    /// Runs a quick `fn` in place, on the thread that reads requests.
    pub const inline: bool = true;
    /// Runs an `async fn` that blocks on the pool of threads.
    pub const blocking: bool = true;
    /// Limits the time of a call: `timeout = "30s"`. The default is that of `App::timeout`.
    pub const timeout: Duration = Duration;
    /// Renames all arguments: `rename_all = "camelCase"`. `#[arg(rename = "…")]` wins.
    pub const rename_all: NamingRule = NamingRule;
    /// Wraps the component in layers, inside of those of the app: `middleware = Timing::new()`, or a list in brackets.
    pub const middleware: Layers = Layers;
    /// Names the type that registers the component by hand, if the name of the function is taken by a type.
    pub const handle: TypeName = TypeName;
}

/// Options of `#[mcp::tool(…)]`.
pub mod tool {
    use super::TypeName;
    pub use super::component::{
        blocking, description, handle, icons, inline, meta, middleware, name, rename_all, tags, timeout, title,
    };

    /// A hint for clients: the tool changes nothing.
    pub const read_only: bool = true;
    /// A hint for clients: the tool may delete or overwrite data. `destructive = false` says that it only adds.
    pub const destructive: bool = true;
    /// A hint for clients: a second call with the same arguments changes nothing more.
    pub const idempotent: bool = true;
    /// A hint for clients: the tool reaches systems outside of the server, such as the web.
    pub const open_world: bool = true;
    /// Sends a text as structured content, too. `= false` sends a number or a `bool` as text alone.
    pub const structured: bool = true;
    /// Sends a result that is not an object inside an object, to clients of 2026-07-28 as well.
    pub const wrapped: bool = true;
    /// Adds a text to resource links without one.
    pub const link_text: bool = true;
    /// Selects the parts of a structured result that are sent: `"text"`, `"structured"` or `"both"`.
    pub const result_content: &str = "both";
    /// Publishes the schema of a type, for a tool that returns `ToolResult`.
    pub const output_schema: TypeName = TypeName;
}

/// Options of `#[mcp::resource("…", …)]`.
pub mod resource {
    pub use super::component::{
        blocking, description, handle, icons, inline, meta, middleware, name, rename_all, tags, timeout, title,
    };
    use super::{Duration, Number, Strings};

    /// The MIME type of the contents. The default follows from the type that the function returns.
    pub const mime_type: &str = "";
    /// The size of the contents in bytes.
    pub const size: u64 = 0;
    /// The readers for whom the resource is: `audience = ["user", "assistant"]`.
    pub const audience: Strings = Strings;
    /// The importance of the resource, from 0 to 1.
    pub const priority: Number = Number;
    /// The time of the last change: `last_modified = "2026-07-28T00:00:00Z"`.
    pub const last_modified: &str = "";
    /// Lists the variables whose values may leave a directory (`..`, an absolute path).
    pub const allow_traversal: Strings = Strings;
    /// The time for which clients may cache the contents: `ttl = "5m"`.
    pub const ttl: Duration = Duration;
    /// The caches that may keep the contents: `"public"` or `"private"`.
    pub const scope: &str = "private";
}

/// Options of `#[mcp::prompt(…)]`.
pub mod prompt {
    pub use super::component::{
        blocking, description, handle, icons, inline, meta, middleware, name, rename_all, tags, timeout, title,
    };
}

/// Options of `#[mcp::server(…)]`.
pub mod server {
    use super::NamingRule;

    /// Renames the arguments of all components of the block: `rename_all = "camelCase"`.
    pub const rename_all: NamingRule = NamingRule;
    /// Renames the tools of the block: `rename_tools = "kebab-case"`.
    pub const rename_tools: NamingRule = NamingRule;
    /// Renames the prompts of the block: `rename_prompts = "kebab-case"`.
    pub const rename_prompts: NamingRule = NamingRule;
    /// Adds the components of this block to those of another block of the type.
    pub const extend: bool = true;
}

/// Options of `#[mcp::model(…)]`.
pub mod model {
    use super::NamingRule;

    /// The type is only in results: it has no `Deserialize`.
    pub const output: bool = true;
    /// The type is only in arguments: it has no `Serialize`.
    pub const input: bool = true;
    /// Renames all fields, or the variants of an enum: `rename_all = "camelCase"`. `#[serde(rename = "…")]` wins.
    pub const rename_all: NamingRule = NamingRule;
    /// Skips unknown members of arguments instead of refusing the call.
    pub const allow_unknown_fields: bool = true;
    /// `as_str = false` leaves out the method `as_str` of an enum of names.
    pub const as_str: bool = true;
    /// `display = false` leaves out the implementation of `Display` of an enum of names.
    pub const display: bool = true;
    /// `from_str = false` leaves out the implementation of `FromStr` of an enum of names.
    pub const from_str: bool = true;
}

/// Options of `#[mcp::main(…)]`.
pub mod main {
    /// The number of the runtime's threads. The default is one; with the feature `http`, one per core, less one.
    pub const worker_threads: usize = 1;
}

/// Options of `#[arg(…)]`, on parameters and on fields of a model.
pub mod arg {
    use super::{Function, Number, Value};

    /// The value if the argument is left out or `null`: `default = 10`, `default = LIMIT`, or `default` alone for
    /// `Default::default()`.
    pub const default: Value = Value;
    /// The least value of a number, inclusive.
    pub const min: Number = Number;
    /// The greatest value of a number, inclusive.
    pub const max: Number = Number;
    /// The least length: of a string in characters, of a list in items, of a map in members.
    pub const min_length: u64 = 0;
    /// The greatest length: of a string in characters, of a list in items, of a map in members.
    pub const max_length: u64 = 0;
    /// A regular expression that matches somewhere in the string: `pattern = "^ORD-"`.
    pub const pattern: &str = "";
    /// The name of the argument for clients: `rename = "order-id"`.
    pub const rename: &str = "";
    /// Names the argument for people.
    pub const title: &str = "";
    /// A value for the `examples` of the schema. It may be given several times.
    pub const example: Value = Value;
    /// HTTP clients also send the argument as the header `Mcp-Param-…` of this name.
    pub const header: &str = "";
    /// Completes values of the argument, for prompts and resource templates: `complete = order_ids`.
    pub const complete: Function = Function;
    /// The fields of a struct are arguments of their own.
    pub const flatten: bool = true;
}
