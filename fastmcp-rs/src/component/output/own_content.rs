//! Structured values with content of their own.

use std::marker::PhantomData;

use serde::Serialize;

use super::{IntoContent, OutputDescription, OutputKind, StructuredOutput};
use crate::component::describe::Description;
use crate::component::result_writer::{ResultWriter, no_json_form};
use crate::content::structured::Structured;
use crate::content::tool_result::ToolResult;
use crate::error::ToolError;

impl<T: Serialize> IntoContent for Structured<T> {
    fn into_result(self) -> ToolResult {
        match self.rest.structured(self.value) {
            Ok(result) => result,
            Err(error) => ToolResult { fault: Some(no_json_form(&error).into()), ..ToolResult::new() },
        }
    }
}

/// A [`Structured`] value, or an `Option` of one, where `None` is `null`.
#[doc(hidden)]
pub trait StructuredWithContent: IntoContent {
    type Value: Serialize;

    fn into_structured(self) -> Structured<Self::Value>;
}

impl<T: Serialize> StructuredWithContent for Structured<T> {
    type Value = T;

    fn into_structured(self) -> Structured<T> {
        self
    }
}

impl<T: Serialize> StructuredWithContent for Option<Structured<T>> {
    type Value = Option<T>;

    fn into_structured(self) -> Structured<Option<T>> {
        match self {
            Some(Structured { value, rest }) => Structured { value: Some(value), rest },
            None => Structured::new(None),
        }
    }
}

#[doc(hidden)]
pub struct UncheckedWithContent<T>(pub(super) PhantomData<fn() -> T>);

impl<T: StructuredWithContent> UncheckedWithContent<T> {
    pub fn checked(self) -> WithContentKind<T>
    where
        T::Value: StructuredOutput,
    {
        WithContentKind(PhantomData)
    }
}

#[doc(hidden)]
pub struct WithContentKind<T>(PhantomData<fn() -> T>);

impl<T: StructuredWithContent> OutputDescription for WithContentKind<T>
where
    T::Value: StructuredOutput,
{
    fn describe(&self, description: &mut Description) {
        description.output(|generator| generator.subschema_for::<T::Value>());
    }
}

impl<T: StructuredWithContent, V: StructuredWithContent> OutputKind<V> for WithContentKind<T>
where
    T::Value: StructuredOutput,
{
    type Rendered = ToolResult;

    fn write(&self, value: V, writer: &mut ResultWriter<'_>) {
        let Structured { value, rest } = value.into_structured();
        writer.structured_with(&value, &rest);
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        Ok(value.into_structured().into_result())
    }

    fn write_rendered(result: ToolResult, writer: &mut ResultWriter<'_>) {
        writer.result(result);
    }
}
