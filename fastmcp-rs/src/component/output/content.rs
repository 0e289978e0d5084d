//! Types that a tool returns as content: texts, numbers, blocks and whole results.

use schemars::JsonSchema;
use serde::Serialize;

use crate::component::result_writer::ResultWriter;
use crate::content::tool_result::ToolResult;
use crate::content::{Audio, Content, EmbeddedResource, Image, ResourceLink};

/// A type that a tool returns as content rather than as a structured value: texts, numbers, `bool`, `()`, the blocks,
/// lists of blocks, [`ToolResult`], and `Option`s of these (`None` is no content).
///
/// Implement it for your own type if text or blocks are its best form.
///
/// # Example
///
/// ```
/// use fastmcp_rs::handler::IntoContent;
/// use fastmcp_rs::prelude::*;
///
/// struct Celsius(f64);
///
/// impl IntoContent for Celsius {
///     fn into_result(self) -> ToolResult {
///         ToolResult::text(format!("{:.1} °C", self.0))
///     }
/// }
///
/// /// Returns the temperature.
/// #[mcp::tool]
/// fn temperature() -> Celsius {
///     Celsius(21.5)
/// }
/// ```
pub trait IntoContent: Sized {
    /// Converts the value into a result.
    fn into_result(self) -> ToolResult;

    /// Writes the result. The provided types do so without creating a [`ToolResult`] first. Other crates cannot
    /// override it, because they cannot name the writer.
    #[doc(hidden)]
    fn write(self, writer: &mut ResultWriter<'_>) {
        writer.result(self.into_result());
    }
}

impl IntoContent for ToolResult {
    fn into_result(self) -> ToolResult {
        self
    }
}

impl IntoContent for String {
    fn into_result(self) -> ToolResult {
        ToolResult::text(self)
    }

    fn write(self, writer: &mut ResultWriter<'_>) {
        writer.text(&self);
    }
}

impl IntoContent for &str {
    fn into_result(self) -> ToolResult {
        ToolResult::text(self)
    }

    fn write(self, writer: &mut ResultWriter<'_>) {
        writer.text(self);
    }
}

impl IntoContent for std::borrow::Cow<'_, str> {
    fn into_result(self) -> ToolResult {
        ToolResult::text(self)
    }

    fn write(self, writer: &mut ResultWriter<'_>) {
        writer.text(&self);
    }
}

impl IntoContent for () {
    fn into_result(self) -> ToolResult {
        ToolResult::new()
    }
}

macro_rules! shown_as_text {
    ($($ty:ty),*) => {$(
        impl IntoContent for $ty {
            fn into_result(self) -> ToolResult {
                let structured = serde_json::to_value(self).ok().filter(|value| !value.is_string());
                ToolResult { is_scalar: structured.is_some(), structured, ..ToolResult::text(self.to_string()) }
            }

            fn write(self, writer: &mut ResultWriter<'_>) {
                writer.text(&self.to_string());
            }
        }
    )*};
}
shown_as_text!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, bool, char);

macro_rules! floats {
    ($($ty:ty),*) => {$(
        /// NaN and infinity are errors, as they are in structured results.
        impl IntoContent for $ty {
            fn into_result(self) -> ToolResult {
                let fault = (!self.is_finite()).then(|| format!("the result is {self}, which is not a number").into());
                let structured = serde_json::to_value(self).ok();
                ToolResult { fault, is_scalar: true, structured, ..ToolResult::text(self.to_string()) }
            }

            fn write(self, writer: &mut ResultWriter<'_>) {
                if self.is_finite() {
                    writer.text(&self.to_string());
                } else {
                    writer.result(self.into_result());
                }
            }
        }
    )*};
}
floats!(f32, f64);

macro_rules! blocks {
    ($($ty:ty),*) => {$(
        impl IntoContent for $ty {
            fn into_result(self) -> ToolResult {
                ToolResult::new().content(self)
            }
        }

        impl IntoContent for Vec<$ty> {
            fn into_result(self) -> ToolResult {
                ToolResult { content: self.into_iter().map(Into::into).collect(), ..ToolResult::new() }
            }
        }
    )*};
}
blocks!(Content, crate::content::Text, Image, Audio, EmbeddedResource, ResourceLink);

impl<T: IntoContent> IntoContent for Option<T> {
    fn into_result(self) -> ToolResult {
        self.map_or_else(ToolResult::new, T::into_result)
    }

    fn write(self, writer: &mut ResultWriter<'_>) {
        match self {
            Some(value) => value.write(writer),
            None => writer.content(&[]),
        }
    }
}

/// A single value, which is text and may also be structured content: a number, a `bool` or a text, or an `Option` of
/// one.
#[doc(hidden)]
pub trait Scalar: IntoContent + Serialize + JsonSchema {
    const IS_TEXT: bool = false;
}

macro_rules! scalars {
    ($($ty:ty),*) => {$(
        impl Scalar for $ty {}
    )*};
}
scalars!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64, bool);

macro_rules! texts {
    ($($ty:ty),*) => {$(
        impl Scalar for $ty {
            const IS_TEXT: bool = true;
        }
    )*};
}
texts!(char, String, &str, std::borrow::Cow<'_, str>);

impl<T: Scalar> Scalar for Option<T> {
    const IS_TEXT: bool = T::IS_TEXT;
}
