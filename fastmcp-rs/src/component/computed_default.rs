//! Defaults that the program computes, as in `#[arg(default = LIMIT)]`.
//!
//! A literal is published and read as the JSON text that the macro made of it. Every other default is a value of the
//! parameter's type: it is serialised once, for the schema, and created anew for each call without the argument.

use std::future::Ready;

use serde::Serialize;
use serde::de::Deserialize;

use super::definition::Parameter;
use super::describe::Description;
use super::parameter::{Argument, Injected, Lend};
use super::slot::{JsonReader, Slot};
use crate::context::Context;
use crate::error::ToolError;

/// A value that can be the default of an argument of type `T`.
///
/// There are few implementations, so that rustc can infer the type of a literal inside of the expression.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` cannot be the default of an argument of type `{T}`",
    label = "expected `{T}`",
    note = "write an expression of the argument's own type; `&str` is accepted for a `String`, and an array for a `Vec`"
)]
pub trait IntoDefault<T> {
    fn into_default(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<T> IntoDefault<T> for T {
    fn into_default(self) -> T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T> IntoDefault<Option<T>> for T {
    fn into_default(self) -> Option<T> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoDefault<String> for &str {
    fn into_default(self) -> String {
        self.to_owned()
    }
}

#[diagnostic::do_not_recommend]
impl IntoDefault<Option<String>> for &str {
    fn into_default(self) -> Option<String> {
        Some(self.to_owned())
    }
}

#[diagnostic::do_not_recommend]
impl<T, const N: usize> IntoDefault<Vec<T>> for [T; N] {
    fn into_default(self) -> Vec<T> {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone> IntoDefault<Vec<T>> for &[T] {
    fn into_default(self) -> Vec<T> {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<const N: usize> IntoDefault<Vec<String>> for [&str; N] {
    fn into_default(self) -> Vec<String> {
        self.map(str::to_owned).into()
    }
}

#[diagnostic::do_not_recommend]
impl IntoDefault<Vec<String>> for &[&str] {
    fn into_default(self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

/// A type whose values can be published as defaults.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the default of an argument of type `{Self}` cannot be published",
    label = "`{Self}` has no `serde::Serialize`",
    note = "the schema of the tool has the default as JSON: put `#[mcp::model]` on your type, or derive `serde::Serialize`"
)]
pub trait PublishedDefault: Sized {
    fn to_json(&self) -> serde_json::Result<String>;
    /// Reads a value; `null` counts as absent.
    fn read_present(reader: &mut JsonReader<'_>) -> serde_json::Result<Option<Self>>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + serde::de::DeserializeOwned> PublishedDefault for T {
    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    fn read_present(reader: &mut JsonReader<'_>) -> serde_json::Result<Option<Self>> {
        Option::deserialize(reader)
    }
}

/// An argument whose default the program computes.
#[doc(hidden)]
pub struct DefaultedArgument<T: Lend + ?Sized> {
    argument: Argument<T>,
    make: fn() -> T::Owned,
    read: fn(&mut JsonReader<'_>) -> serde_json::Result<Option<T::Owned>>,
    to_json: fn(&T::Owned) -> serde_json::Result<String>,
}

impl<T: Lend + ?Sized> Argument<T> {
    /// Sets the function that creates the default.
    pub fn with_default(self, make: fn() -> T::Owned) -> DefaultedArgument<T>
    where
        T::Owned: PublishedDefault,
    {
        DefaultedArgument {
            argument: self,
            make,
            read: <T::Owned as PublishedDefault>::read_present,
            to_json: <T::Owned as PublishedDefault>::to_json,
        }
    }
}

impl<T> Injected<T> {
    /// Ignores a default, which is reported as an option of an injected parameter.
    pub fn with_default<D>(self, _: fn() -> D) -> Self {
        self
    }
}

impl<T: Lend + ?Sized> DefaultedArgument<T> {
    pub fn resolve(self, context: &Context) -> Ready<Result<T::Owned, ToolError>> {
        self.argument.resolve(context)
    }
}

impl<T: Lend + ?Sized> Slot for DefaultedArgument<T> {
    fn argument(&self) -> Option<&'static Parameter> {
        self.argument.argument()
    }

    fn is_filled(&self) -> bool {
        self.argument.is_filled()
    }

    fn fill(&mut self, reader: &mut JsonReader<'_>) -> serde_json::Result<()> {
        let value = (self.read)(reader)?;
        self.argument.set(value.unwrap_or_else(self.make));
        Ok(())
    }

    fn text(&mut self) -> Option<&mut Option<String>> {
        self.argument.text()
    }

    fn fill_absent(&mut self) -> bool {
        self.argument.set((self.make)());
        true
    }

    fn describe(&self, description: &mut Description) {
        self.argument.describe_as(description, false);
        let parameter = self.argument.parameter();
        match (self.to_json)(&(self.make)()) {
            // An absent value has no default to publish.
            Ok(json) if json == "null" => {}
            Ok(json) => description.computed_default(parameter, &json, self.argument.find_misfit(&json)),
            Err(error) => description.computed_default(parameter, "", Some(error)),
        }
    }
}
