//! Tools that are created at run time.

use std::future::Future;
use std::panic::Location as Place;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{DynamicHandler, HandlerFn};
use crate::checks::names::check_component_name;
use crate::checks::problem::ProblemList;
use crate::checks::schemas::{self, SchemaFindings};
use crate::component::definition::DefinitionText;
use crate::component::describe::ComponentInterface;
use crate::component::icon::Icon;
use crate::component::invocation::box_call;
use crate::component::metadata::{ComponentBase, metadata_methods};
use crate::component::output::{ContentOutput, IntoContent, OutputCheck};
use crate::component::tool::{ResultOptions, ToolAnnotations};
use crate::content::tool_result::ToolResult;
use crate::context::Context;
use crate::error::ToolError;
use crate::schema::jsonschema::CompiledSchema;
use crate::schema::publish::ResultContent;
use crate::util::operator_log;

/// A tool that is created at run time: from a JSON Schema and a closure, without macros.
///
/// Use it for tools that are known only at run time, such as the operations of another service. The closure gets the
/// arguments as a JSON object and the call's [`Context`], and returns a value that implements [`IntoContent`]: a text,
/// a block, a [`Structured`](crate::content::Structured) value, or a [`ToolResult`], which can be converted from a
/// [`serde_json::Value`]. As with other tools, the text of
/// [`ToolError::new`] is for the model, and other errors are logged.
///
/// The schema is published unchanged. Arguments are checked against it before the closure is called. These keywords are
/// checked: `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `patternProperties`,
/// `minProperties`, `maxProperties`, `items`, `prefixItems`, `minItems`, `maxItems`, `minLength`, `maxLength`,
/// `pattern`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `allOf`, `anyOf`, `oneOf` (as
/// `anyOf`), and `$ref` within the schema (by a JSON pointer, or the `$anchor` of a definition). A `pattern` with a
/// look-around, a back-reference or `\p` accepts every value, and a warning is logged for the operator. Other keywords
/// are not checked, unless the feature `schema-validation` is on. Arguments with more than 100,000 values or with
/// duplicate members are rejected.
///
/// Add it with [`App::add_tool`](crate::App::add_tool), or with [`AppHandle::add_tool`](crate::AppHandle::add_tool)
/// while the server runs.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
/// use serde_json::json;
///
/// let schema = json!({
///     "type": "object",
///     "properties": {"number": {"type": "integer"}},
///     "required": ["number"],
/// });
/// let double = DynamicTool::new("double", schema, |arguments, _ctx| async move {
///     let number = arguments["number"].as_i64().unwrap_or_default();
///     Ok::<_, ToolError>(number * 2)
/// })
/// .description("Doubles a number.")
/// .read_only(true);
///
/// let app = App::empty("numbers").add_tool(double);
/// assert!(app.check().is_ok());
/// ```
#[must_use = "a tool does nothing until it is added"]
pub struct DynamicTool {
    pub(crate) base: ComponentBase,
    pub(crate) hints: ToolAnnotations,
    pub(crate) results: ResultOptions,
    input: Value,
    output: Option<Value>,
    handler: HandlerFn<Map<String, Value>, ToolResult>,
}

metadata_methods!(DynamicTool);

impl DynamicTool {
    /// Creates a tool from a name (1 to 128 ASCII letters, digits, `_`, `-` and `.`), a JSON Schema of its arguments,
    /// which must be an object with `"type": "object"`, and a closure that runs the call.
    ///
    /// The closure runs on the runtime: work that blocks belongs on a thread of its own, for example with
    /// `tokio::task::spawn_blocking`. Code that tokio forbids there, such as `Runtime::block_on`, panics in every call.
    #[track_caller]
    pub fn new<F, W, R, E>(name: impl Into<String>, input_schema: impl Into<Value>, handler: F) -> DynamicTool
    where
        F: Fn(Map<String, Value>, Context) -> W + Send + Sync + 'static,
        W: Future<Output = Result<R, E>> + Send + 'static,
        R: IntoContent,
        E: Into<ToolError>,
    {
        DynamicTool {
            base: ComponentBase::new(name, Place::caller()),
            hints: ToolAnnotations::EMPTY,
            results: ResultOptions::EMPTY,
            input: input_schema.into(),
            output: None,
            handler: Box::new(move |arguments, context| {
                let work = handler(arguments, context);
                Box::pin(async move { work.await.map(IntoContent::into_result).map_err(Into::into) })
            }),
        }
    }

    /// Sets the JSON Schema of structured results. Each result is checked against it; a result that does not fit is
    /// logged as an error and not sent.
    pub fn output_schema(mut self, schema: impl Into<Value>) -> DynamicTool {
        self.output = Some(schema.into());
        self
    }

    /// Sets whether clients of 2026-07-28 get a structured result that is not an object inside `{"result": …}`.
    /// Default: [`App::wrapped_results`](crate::App::wrapped_results).
    pub fn wrapped(mut self, yes: bool) -> DynamicTool {
        self.results.wrapped = Some(yes);
        self
    }

    /// Sets the parts of a structured result that are sent: the value, its text, or both. Default:
    /// [`App::result_content`](crate::App::result_content). With [`ResultContent::Text`] the output schema is not
    /// published; results are still checked against it.
    pub fn result_content(mut self, content: ResultContent) -> DynamicTool {
        self.results.content = Some(content);
        self
    }

    /// Sets whether resource links without a text get one. Default: [`App::link_texts`](crate::App::link_texts).
    pub fn link_text(mut self, yes: bool) -> DynamicTool {
        self.results.link_text = Some(yes);
        self
    }

    /// Sets the hint `readOnlyHint`: whether the tool changes nothing. By default, no hint is sent.
    pub fn read_only(mut self, yes: bool) -> DynamicTool {
        self.hints.read_only = Some(yes);
        self
    }

    /// Sets the hint `destructiveHint`: whether the tool may destroy something. By default, no hint is sent.
    pub fn destructive(mut self, yes: bool) -> DynamicTool {
        self.hints.destructive = Some(yes);
        self
    }

    /// Sets the hint `idempotentHint`: whether repeating a call with the same arguments has no further effect. By
    /// default, no hint is sent.
    pub fn idempotent(mut self, yes: bool) -> DynamicTool {
        self.hints.idempotent = Some(yes);
        self
    }

    /// Sets the hint `openWorldHint`: whether the tool interacts with systems outside of the server's own world, such
    /// as the web. By default, no hint is sent.
    pub fn open_world(mut self, yes: bool) -> DynamicTool {
        self.hints.open_world = Some(yes);
        self
    }

    /// Returns the parts that a server stores, and the compiled schema of the arguments.
    pub(crate) fn into_parts(self) -> (ComponentBase, ComponentInterface, DynamicHandler, Option<CompiledSchema>) {
        let mut problems = self.base.check("tool");
        check_component_name(&self.base.metadata.name, "tool", &mut problems);
        warn_about_patterns(&self.base, "input", &schemas::check_input_schema(&self.input, &mut problems));
        let full = compile_schema(&self.input, "input", &mut problems);
        let checks = self.output.clone().map(|schema| {
            warn_about_patterns(&self.base, "output", &schemas::check_output_schema(&schema, &mut problems));
            let full = compile_schema(&schema, "output", &mut problems);
            std::sync::Arc::new(OutputCheck { schema, full })
        });
        let handler = self.handler;
        let closure = move |arguments, context| {
            let work = handler(arguments, context);
            let checks = checks.clone();
            box_call(ContentOutput, async move {
                let result = work.await?;
                match checks.map_or(Ok(()), |checks| checks.check(&result)) {
                    Ok(()) => Ok(result),
                    Err(problem) => Err(ToolError::internal(problem)),
                }
            })
        };
        let described =
            ComponentInterface { output: self.output, ..ComponentInterface::for_dynamic(self.input, problems) };
        (self.base, described, DynamicHandler::new(closure), full)
    }
}

fn compile_schema(schema: &Value, which: &str, problems: &mut ProblemList) -> Option<CompiledSchema> {
    // Known problems are reported already, and the schema may be too deep to be compiled.
    if !problems.is_empty() {
        return None;
    }
    match CompiledSchema::compile(schema) {
        Ok(full) => full,
        Err(error) => {
            schemas::report_uncheckable(which, &error, problems);
            None
        }
    }
}

/// Logs the patterns that can be checked only with the feature `schema-validation`.
fn warn_about_patterns(tool: &ComponentBase, which: &str, found: &SchemaFindings) {
    if cfg!(feature = "schema-validation") {
        return;
    }
    for pattern in &found.patterns {
        let problem = schemas::unchecked_pattern(&tool.metadata.name, which, pattern);
        operator_log::warn(format_args!("{}", problem.at(tool.location.to_string())));
    }
}
