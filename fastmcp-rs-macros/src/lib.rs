//! Procedural macros of fastmcp-rs, which re-exports and documents them.
//!
//! Each macro runs through four phases, in the order of `pipeline.rs`:
//!
//! 1. `parse` reads the attribute's options and the item into structs.
//! 2. `handler`, `model` and `server` sort the parsed item into the parts that an expansion needs.
//! 3. `validate` reports every mistake in one build.
//! 4. `expand` writes the generated code.
//!
//! The documentation is at the re-exports in fastmcp-rs, where its examples are compiled. rust-analyzer shows that of
//! these definitions, so it gets a summary (a literal, because its releases of 2026 read no `include_str!`).
//!
//! Only this file uses `proc_macro`; the phases use `proc_macro2`, so that plain unit tests reach them.

#![forbid(unsafe_code)]

mod component;
mod errors;
mod expand;
mod handler;
mod model;
mod parse;
mod pipeline;
mod serde_options;
mod server;
mod shared;
#[cfg(test)]
mod tests;
mod types;
mod validate;

use proc_macro::TokenStream;

use component::Component;

#[doc(hidden)]
#[cfg_attr(
    rust_analyzer,
    doc = r##"Registers a function as a tool: its name, its doc comment and its parameters become the tool's name, description and
input schema.

```text
/// Looks up the price of an article.
#[mcp::tool(read_only)]
async fn price(
    /// The article's number.
    article: &str,
    #[arg(default = 1, min = 1)] quantity: u32,
) -> Result<String, ToolError> { .. }
```

Options: `name`, `title`, `description`, `read_only`, `destructive`, `idempotent`, `open_world`, `tags`, `icons`, `meta`,
`structured`, `wrapped`, `result_content`, `output_schema`, `link_text`, `timeout`, `middleware`, `inline`, `blocking`,
`rename_all`, `handle`, `crate`.

Options of parameters, in `#[arg(..)]`: `default`, `min`, `max`, `min_length`, `max_length`, `pattern`, `rename`,
`title`, `example`, `header`, `flatten`.

[Documentation](https://docs.rs/fastmcp-rs/latest/fastmcp_rs/mcp/attr.tool.html)"##
)]
#[proc_macro_attribute]
pub fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_handler(Component::Tool, options.into(), item.into()).into()
}

#[doc(hidden)]
#[cfg_attr(
    rust_analyzer,
    doc = r##"Registers a function as a resource, or as a template of resources if its URI has variables. Each variable is a parameter.

```text
/// An order, as JSON.
#[mcp::resource("orders://{order_id}")]
async fn order(order_id: &str) -> Option<Order> { .. }
```

Options after the URI: `name`, `title`, `description`, `mime_type`, `size`, `audience`, `priority`, `last_modified`,
`allow_traversal`, `ttl`, `scope`, `tags`, `icons`, `meta`, `timeout`, `middleware`, `inline`, `blocking`, `rename_all`,
`handle`, `crate`.

Options of parameters, in `#[arg(..)]`: those of `#[mcp::tool]` except `header`, and `complete`.

[Documentation](https://docs.rs/fastmcp-rs/latest/fastmcp_rs/mcp/attr.resource.html)"##
)]
#[proc_macro_attribute]
pub fn resource(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_handler(Component::Resource, options.into(), item.into()).into()
}

#[doc(hidden)]
#[cfg_attr(
    rust_analyzer,
    doc = r##"Registers a function as a prompt, a template of messages that a person chooses.

```text
/// Reviews an order.
#[mcp::prompt]
fn review(order_id: &str) -> String { .. }
```

Options: `name`, `title`, `description`, `tags`, `icons`, `meta`, `timeout`, `middleware`, `inline`, `blocking`,
`rename_all`, `handle`, `crate`.

Options of parameters, in `#[arg(..)]`: those of `#[mcp::tool]` except `header`, and `complete`.

[Documentation](https://docs.rs/fastmcp-rs/latest/fastmcp_rs/mcp/attr.prompt.html)"##
)]
#[proc_macro_attribute]
pub fn prompt(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_handler(Component::Prompt, options.into(), item.into()).into()
}

#[doc(hidden)]
#[cfg_attr(
    rust_analyzer,
    doc = r##"Makes the methods of an `impl` block components of a server: those with `#[tool]`, `#[resource(..)]` and `#[prompt]`.

```text
#[mcp::server]
impl Greeter {
    /// Greets a person.
    #[tool]
    async fn greet(&self, name: &str) -> String { .. }
}
```

`App::server::<Greeter>()` registers them, and `App::state` takes the value for `&self`.

Options: `rename_all`, `rename_tools`, `rename_prompts`, `extend`, `crate`.

[Documentation](https://docs.rs/fastmcp-rs/latest/fastmcp_rs/mcp/attr.server.html)"##
)]
#[proc_macro_attribute]
pub fn server(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_server(options.into(), item.into()).into()
}

/// rmcp's attribute for a block with tools, which is reported.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tool_router(_: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_router("tool_router", item.into()).into()
}

/// rmcp's attribute for a block with prompts, which is reported.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn prompt_router(_: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_router("prompt_router", item.into()).into()
}

/// rmcp's attribute for the implementation of its handler, which is reported.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tool_handler(_: TokenStream, _: TokenStream) -> TokenStream {
    pipeline::run_router_handler("tool_handler").into()
}

/// rmcp's attribute for the implementation of its handler, which is reported.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn prompt_handler(_: TokenStream, _: TokenStream) -> TokenStream {
    pipeline::run_router_handler("prompt_handler").into()
}

#[doc(hidden)]
#[cfg_attr(
    rust_analyzer,
    doc = r##"Makes an `async fn main` the program's `main`, on a small tokio runtime.

Options: `worker_threads`, `crate`.

[Documentation](https://docs.rs/fastmcp-rs/latest/fastmcp_rs/mcp/attr.main.html)"##
)]
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_main(options.into(), item.into()).into()
}

#[doc(hidden)]
#[cfg_attr(
    rust_analyzer,
    doc = r##"Makes a struct or an enum usable as an argument and a result of tools: derives `Serialize`, `Deserialize` and
`JsonSchema`.

```text
#[mcp::model]
struct Item {
    /// The article's number.
    #[arg(pattern = "^A-[0-9]+$")]
    article: String,
    #[arg(min = 1, default = 1)]
    quantity: u32,
}
```

Options: `input`, `output`, `rename_all`, `allow_unknown_fields`, `as_str`, `display`, `from_str`, `crate`.

Options of fields, in `#[arg(..)]`: `default`, `min`, `max`, `min_length`, `max_length`, `pattern`, `rename`, `title`,
`example`.

[Documentation](https://docs.rs/fastmcp-rs/latest/fastmcp_rs/mcp/attr.model.html)"##
)]
#[proc_macro_attribute]
pub fn model(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_model(options.into(), item.into()).into()
}

#[doc(hidden)]
#[cfg_attr(
    rust_analyzer,
    doc = r##"Decides for each variant of an error type whether the model reads it: a variant with `#[mcp(visible)]` is for the model,
and every other one is logged.

[Documentation](https://docs.rs/fastmcp-rs/latest/fastmcp_rs/mcp/derive.ToolError.html)"##
)]
#[proc_macro_derive(ToolError, attributes(mcp))]
pub fn tool_error(item: TokenStream) -> TokenStream {
    pipeline::run_tool_error(item.into()).into()
}

/// Expands to nothing. The derive makes the attributes of serde and schemars known on a model whose traits are derived
/// on a hidden copy.
#[doc(hidden)]
#[proc_macro_derive(ModelAttributes, attributes(serde, schemars))]
pub fn model_attributes(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Expands to the source of a module that the library shares with the macros; see `shared/mod.rs`.
#[doc(hidden)]
#[proc_macro]
pub fn shared_source(name: TokenStream) -> TokenStream {
    shared::source_of(name.into()).into()
}
