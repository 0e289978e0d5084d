//! The return types of tools, and their conversion to results.
//!
//! The type alone selects one of three families: content ([`IntoContent`]: texts, numbers, blocks, whole results),
//! structured values (any other type that implements `Serialize` and `JsonSchema`), and `Result`s of these. As with
//! parameters, method resolution selects the family ([`probe`]).

mod content;
mod output_schema;
mod own_content;
#[doc(hidden)]
#[allow(unreachable_pub)] // They are exported without their names.
pub mod probe;

use std::error::Error as StdError;
use std::marker::PhantomData;

pub use content::IntoContent;
pub(crate) use content::Scalar;
pub(crate) use output_schema::OutputCheck;
pub use output_schema::{ComposedOutput, OutputSchema};
use schemars::JsonSchema;
use serde::Serialize;

use super::describe::Description;
use super::model::WritableModel;
use super::result_writer::ResultWriter;
use crate::content::Content;
use crate::content::tool_result::ToolResult;
use crate::error::ToolError;

/// A type that a tool can return as a structured value: any type with `serde::Serialize` and `schemars::JsonSchema`.
///
/// Its schema is published as the tool's output schema. [`#[mcp::model]`](crate::mcp::model) derives both traits.
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    label = "neither content nor a structured value",
    note = "for a structured value, it and every type inside it need `Serialize` of serde 1 and `JsonSchema` of schemars 1: put `#[mcp::model]` on your own types",
    note = "for text, return `String`; for blocks, `Content`, `Image`, `Audio`, `EmbeddedResource`, `ResourceLink` or a `Vec` of them; for full control, `ToolResult`",
    note = "each of these can be in a `Result` or an `Option`"
)]
#[cfg_attr(
    not(all(feature = "chrono", feature = "decimal", feature = "jiff", feature = "url", feature = "uuid")),
    diagnostic::on_unimplemented(
        note = "types of chrono, jiff, rust_decimal, url and uuid need a feature of fastmcp-rs: `cargo add fastmcp-rs --features chrono`, `jiff`, `decimal`, `url` or `uuid`"
    )
)]
pub trait StructuredOutput: Serialize + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema> StructuredOutput for T {}

/// Bytes that would be written as a list of numbers.
#[doc(hidden)]
pub trait RawBytes {}

impl RawBytes for Vec<u8> {}
impl RawBytes for std::collections::VecDeque<u8> {}
impl RawBytes for std::borrow::Cow<'_, [u8]> {}
impl RawBytes for [u8] {}
impl<const N: usize> RawBytes for [u8; N] {}
impl<T: RawBytes + ?Sized> RawBytes for &T {}
impl<T: RawBytes + ?Sized> RawBytes for Box<T> {}
impl<T: RawBytes + ?Sized> RawBytes for std::sync::Arc<T> {}
impl<T: RawBytes> RawBytes for Option<T> {}
impl<T: RawBytes> RawBytes for Vec<T> {}

/// No type of bytes implements this trait: it provides the error message for a tool that returns bytes.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a tool cannot return the raw bytes of `{Self}`",
    label = "JSON would write each byte as a number",
    note = "for a picture, return `Image`; for sound, `Audio`; for any other file, `EmbeddedResource`",
    note = "for a list of numbers, return `Vec<u16>` or `Vec<u32>`"
)]
pub trait ReadableOutput {}

#[doc(hidden)]
pub struct RefusedBytes<T>(PhantomData<fn() -> T>);

impl<T> RefusedBytes<T> {
    /// Always fails to compile, with the crate's own message.
    pub fn checked(self) -> StructuredKind<T>
    where
        T: ReadableOutput,
    {
        StructuredKind(PhantomData)
    }
}

/// A model that is only an argument.
#[doc(hidden)]
pub struct RefusedModel<T>(PhantomData<fn() -> T>);

impl<T> RefusedModel<T> {
    /// Always fails to compile, with the crate's own message.
    pub fn checked(self) -> RefusedOutput
    where
        T: WritableModel,
    {
        RefusedOutput
    }
}

/// The output of a tool that does not compile.
#[doc(hidden)]
pub struct RefusedOutput;

impl OutputDescription for RefusedOutput {
    fn describe(&self, _: &mut Description) {}
}

impl<V> OutputKind<V> for RefusedOutput {
    type Rendered = ToolResult;

    fn write(&self, _: V, _: &mut ResultWriter<'_>) {}

    fn render(&self, _: V) -> Result<ToolResult, ToolError> {
        Ok(ToolResult::new())
    }

    fn write_rendered(_: ToolResult, _: &mut ResultWriter<'_>) {}
}

/// Adds a return type to the description of its tool.
#[doc(hidden)]
pub trait OutputDescription {
    fn describe(&self, description: &mut Description);
}

/// Writes a value of type `V`. It is separate from the described type, because a value may borrow from the arguments,
/// but a schema cannot.
#[doc(hidden)]
pub trait OutputKind<V>: OutputDescription {
    /// The value in a form that borrows nothing, for results that borrow from the arguments.
    type Rendered: Send + 'static;

    fn write(&self, value: V, writer: &mut ResultWriter<'_>);

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError>;

    fn write_rendered(rendered: Self::Rendered, writer: &mut ResultWriter<'_>);
}

/// Creates a result that borrows nothing.
#[doc(hidden)]
pub fn render<V, K: OutputKind<V>>(output: &K, value: V) -> Result<RenderedResult<K::Rendered>, ToolError> {
    output.render(value).map(|value| RenderedResult { value, write: K::write_rendered })
}

/// A result that was rendered while it could borrow, and is written elsewhere.
#[doc(hidden)]
pub struct RenderedResult<R> {
    value: R,
    write: fn(R, &mut ResultWriter<'_>),
}

/// Writes a rendered result.
#[doc(hidden)]
pub(crate) struct RenderedOutput;

impl OutputDescription for RenderedOutput {
    fn describe(&self, _: &mut Description) {}
}

impl<R: Send + 'static> OutputKind<RenderedResult<R>> for RenderedOutput {
    type Rendered = RenderedResult<R>;

    fn write(&self, rendered: RenderedResult<R>, writer: &mut ResultWriter<'_>) {
        (rendered.write)(rendered.value, writer);
    }

    fn render(&self, rendered: RenderedResult<R>) -> Result<RenderedResult<R>, ToolError> {
        Ok(rendered)
    }

    fn write_rendered(rendered: RenderedResult<R>, writer: &mut ResultWriter<'_>) {
        (rendered.write)(rendered.value, writer);
    }
}

#[doc(hidden)]
pub struct ContentOutput;

impl ContentOutput {
    pub fn checked(self) -> Self {
        self
    }
}

impl OutputDescription for ContentOutput {
    fn describe(&self, _: &mut Description) {}
}

impl<V: IntoContent> OutputKind<V> for ContentOutput {
    type Rendered = ToolResult;

    fn write(&self, value: V, writer: &mut ResultWriter<'_>) {
        value.write(writer);
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        Ok(value.into_result())
    }

    fn write_rendered(result: ToolResult, writer: &mut ResultWriter<'_>) {
        writer.result(result);
    }
}

#[doc(hidden)]
pub struct ScalarOutput<T>(PhantomData<fn() -> T>);

impl<T> ScalarOutput<T> {
    pub fn checked(self) -> Self {
        self
    }
}

impl<T: Scalar> OutputDescription for ScalarOutput<T> {
    fn describe(&self, description: &mut Description) {
        description.scalar(|generator| generator.subschema_for::<T>(), T::IS_TEXT);
    }
}

impl<T: Scalar, V: Scalar> OutputKind<V> for ScalarOutput<T> {
    /// The text, and the value if it differs from the text.
    type Rendered = (ToolResult, Option<serde_json::Value>);

    fn write(&self, value: V, writer: &mut ResultWriter<'_>) {
        match writer.structures_scalars() {
            true => writer.structured(&value),
            false => value.write(writer),
        }
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        let json = if V::IS_TEXT { None } else { serde_json::to_value(&value).ok() };
        Ok((value.into_result(), json))
    }

    fn write_rendered((result, json): Self::Rendered, writer: &mut ResultWriter<'_>) {
        if !writer.structures_scalars() || result.fault.is_some() {
            return writer.result(result);
        }
        match (json, result.content.first()) {
            (Some(json), _) => writer.structured(&json),
            (None, Some(Content::Text(text))) => writer.structured(&text.as_str()),
            (None, _) => writer.structured(&()),
        }
    }
}

#[doc(hidden)]
pub struct UncheckedStructured<T>(PhantomData<fn() -> T>);

impl<T> UncheckedStructured<T> {
    /// Always fails to compile, with the crate's own message.
    pub fn checked(self) -> RefusedOutput
    where
        T: StructuredOutput,
    {
        RefusedOutput
    }
}

#[doc(hidden)]
pub struct StructuredKind<T>(PhantomData<fn() -> T>);

impl<T> StructuredKind<T> {
    pub fn checked(self) -> Self {
        self
    }
}

impl<T: StructuredOutput> OutputDescription for StructuredKind<T> {
    fn describe(&self, description: &mut Description) {
        description.output(|generator| generator.subschema_for::<T>());
    }
}

impl<T: StructuredOutput, V: StructuredOutput> OutputKind<V> for StructuredKind<T> {
    type Rendered = ToolResult;

    fn write(&self, value: V, writer: &mut ResultWriter<'_>) {
        writer.structured(&value);
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        Ok(ToolResult::new().structured(value)?)
    }

    fn write_rendered(result: ToolResult, writer: &mut ResultWriter<'_>) {
        writer.result(result);
    }
}

/// A type that can be a tool's error: [`ToolError`], or any error that is logged rather than shown.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a tool, a resource or a prompt",
    label = "this type does not say whether the model may read the error",
    note = "for a text that the model reads, return `Result<_, ToolError>` and `Err(ToolError::new(text))`",
    note = "any type that implements `std::error::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>` work too: they are logged, and the model reads only an id",
    note = "for an error type of your own, `#[derive(mcp::ToolError)]` marks the variants that the model reads"
)]
pub trait HandlerError {}

#[diagnostic::do_not_recommend]
impl HandlerError for ToolError {}
#[diagnostic::do_not_recommend]
impl<E: StdError + Send + Sync + 'static> HandlerError for E {}

#[doc(hidden)]
pub trait ErrorKind<E> {
    fn convert(&self, error: E) -> ToolError;
}

#[doc(hidden)]
pub struct VisibleError;

impl VisibleError {
    pub fn checked(self) -> Self {
        self
    }
}

impl ErrorKind<ToolError> for VisibleError {
    fn convert(&self, error: ToolError) -> ToolError {
        error
    }
}

#[doc(hidden)]
pub struct ConvertedError;

impl ConvertedError {
    pub fn checked(self) -> Self {
        self
    }
}

impl<E: Into<ToolError>> ErrorKind<E> for ConvertedError {
    fn convert(&self, error: E) -> ToolError {
        error.into()
    }
}

#[doc(hidden)]
pub struct RefusedError<E>(PhantomData<fn() -> E>);

impl<E> RefusedError<E> {
    /// Always fails to compile, with the crate's own message.
    pub fn checked(self) -> Self
    where
        E: HandlerError,
    {
        self
    }
}

impl<E> ErrorKind<E> for RefusedError<E> {
    fn convert(&self, _: E) -> ToolError {
        ToolError::internal("a handler cannot return an error of this kind")
    }
}

/// The return type of a tool before it is classified.
#[doc(hidden)]
pub struct Output<T>(PhantomData<fn() -> T>);

impl<T> Output<T> {
    pub const NEW: Self = Output(PhantomData);
}

#[doc(hidden)]
pub struct ValueType<T>(PhantomData<fn() -> T>);
#[doc(hidden)]
pub struct ErrorType<E>(PhantomData<fn() -> E>);

/// A tool that returns a plain value.
#[doc(hidden)]
pub struct Infallible<T>(PhantomData<fn() -> T>);

impl<T> Infallible<T> {
    pub fn value(&self) -> ValueType<T> {
        ValueType(PhantomData)
    }

    pub fn error(&self) -> ErrorType<ToolError> {
        ErrorType(PhantomData)
    }

    pub fn join<K>(self, value: K, _: VisibleError) -> K {
        value
    }
}

/// A tool that returns a `Result`.
#[doc(hidden)]
pub struct Fallible<T, E>(PhantomData<fn() -> (T, E)>);

impl<T, E> Fallible<T, E> {
    pub fn value(&self) -> ValueType<T> {
        ValueType(PhantomData)
    }

    pub fn error(&self) -> ErrorType<E> {
        ErrorType(PhantomData)
    }

    pub fn join<K, X>(self, value: K, error: X) -> FallibleOutput<K, X> {
        FallibleOutput { value, error }
    }
}

#[doc(hidden)]
pub struct FallibleOutput<K, X> {
    value: K,
    error: X,
}

impl<K: OutputDescription, X> OutputDescription for FallibleOutput<K, X> {
    fn describe(&self, description: &mut Description) {
        self.value.describe(description);
    }
}

impl<V, E, K: OutputKind<V>, X: ErrorKind<E>> OutputKind<Result<V, E>> for FallibleOutput<K, X> {
    type Rendered = K::Rendered;

    fn write(&self, value: Result<V, E>, writer: &mut ResultWriter<'_>) {
        match value {
            Ok(value) => self.value.write(value, writer),
            Err(error) => writer.error(self.error.convert(error)),
        }
    }

    fn render(&self, value: Result<V, E>) -> Result<K::Rendered, ToolError> {
        match value {
            Ok(value) => self.value.render(value),
            Err(error) => Err(self.error.convert(error)),
        }
    }

    fn write_rendered(rendered: K::Rendered, writer: &mut ResultWriter<'_>) {
        K::write_rendered(rendered, writer);
    }
}
