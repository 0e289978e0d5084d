//! Output schemas that are given beside the return type, and the check of results against them.

use std::sync::OnceLock;

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::{OutputDescription, OutputKind, StructuredOutput, ValueType};
use crate::component::describe::{Description, publish_output};
use crate::component::result_writer::ResultWriter;
use crate::content::tool_result::ToolResult;
use crate::error::ToolError;
use crate::schema::jsonschema::CompiledSchema;
use crate::schema::validate::check_value;

/// The check of results against an output schema.
pub(crate) struct OutputCheck {
    pub(crate) schema: Value,
    /// The compiled schema, with the feature `schema-validation`.
    pub(crate) full: Option<CompiledSchema>,
}

impl OutputCheck {
    pub(crate) fn check(&self, result: &ToolResult) -> Result<(), String> {
        if result.is_error {
            return Ok(());
        }
        let Some(structured) = &result.structured else {
            return Err("the tool has an output schema, but its result has no structured content: call `ToolResult::structured`, or return `ToolResult::from` of a JSON value".into());
        };
        let found = check_value(&self.schema, structured);
        let mut problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        if found.is_incomplete {
            problems.push("the result has too many values to check".into());
        }
        if let Some(full) = self.full.as_ref().filter(|_| problems.is_empty()) {
            problems = full.problems(structured);
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(format!("the result does not match the output schema: {}", problems.join("; ")))
    }
}

/// The type of `#[mcp::tool(output_schema = T)]`, with the check that its first result creates.
#[doc(hidden)]
pub struct OutputSchema {
    schema: fn(&mut SchemaGenerator) -> Schema,
    check: OnceLock<OutputCheck>,
}

impl OutputSchema {
    pub const fn new<T: StructuredOutput>() -> OutputSchema {
        OutputSchema { schema: |generator| generator.subschema_for::<T>(), check: OnceLock::new() }
    }

    fn check(&self, result: &ToolResult) -> Result<(), ToolError> {
        let check = self.check.get_or_init(|| {
            let schema = publish_output(self.schema);
            // The schema of a type can be compiled.
            let full = CompiledSchema::compile(&schema).ok().flatten();
            OutputCheck { schema, full }
        });
        check.check(result).map_err(ToolError::internal)
    }
}

/// A result that its author composes, so that it can follow any output schema.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`output_schema` is for tools that return `ToolResult`",
    label = "this type decides the form of its results itself",
    note = "a tool that returns a type with `#[mcp::model]` publishes the schema of that type: remove `output_schema`",
    note = "for a text of your own beside a structured value, return `Structured<T>`"
)]
pub trait ComposedOutput: Sized {
    fn into_composed(self) -> ToolResult;
}

impl ComposedOutput for ToolResult {
    fn into_composed(self) -> ToolResult {
        self
    }
}

/// The output of a tool with `output_schema`, before the schema is known.
#[doc(hidden)]
pub struct Composed<T> {
    // A function pointer, because a bound would be checked again wherever the output is used.
    convert: fn(T) -> ToolResult,
}

impl<T> ValueType<T> {
    /// Selects this output in place of the one that the type would select.
    pub fn composed(self) -> Composed<T>
    where
        T: ComposedOutput,
    {
        Composed { convert: T::into_composed }
    }
}

impl<T> Composed<T> {
    pub fn with_output_schema(self, schema: &'static OutputSchema) -> CheckedOutput<T> {
        CheckedOutput { convert: self.convert, schema }
    }
}

/// The output of a tool with `output_schema`.
#[doc(hidden)]
pub struct CheckedOutput<T> {
    convert: fn(T) -> ToolResult,
    schema: &'static OutputSchema,
}

impl<T> OutputDescription for CheckedOutput<T> {
    fn describe(&self, description: &mut Description) {
        description.output(self.schema.schema);
    }
}

impl<T> OutputKind<T> for CheckedOutput<T> {
    type Rendered = ToolResult;

    fn write(&self, value: T, writer: &mut ResultWriter<'_>) {
        match self.render(value) {
            Ok(result) => writer.result(result),
            Err(error) => writer.error(error),
        }
    }

    fn render(&self, value: T) -> Result<ToolResult, ToolError> {
        let result = (self.convert)(value);
        self.schema.check(&result).map(|()| result)
    }

    fn write_rendered(result: ToolResult, writer: &mut ResultWriter<'_>) {
        writer.result(result);
    }
}
