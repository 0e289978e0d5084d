//! A struct whose fields are arguments of their own: `#[arg(flatten)]` and [`Args`].
//!
//! Its schema is merged into the input schema. In a call, the members that no other parameter takes are collected as
//! text, and the struct is read from them when all members have been seen. So tools without such a struct do nothing
//! more than before.

use std::any::TypeId;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use schemars::{Schema, SchemaGenerator};

use super::arg_checks::{InjectedParameter, TemplateVariable};
use super::definition::Parameter;
use super::describe::Description;
use super::extract::FromContext;
use super::flat_members::{FieldNames, FlatMembers};
use super::parameter::{ArgumentKind, ArgumentValue, Injected, InjectedKind, Input, Lend, ToolArgument};
use super::slot::{JsonReader, Slot};
use super::unknown_members::StrictGuard;
use crate::context::Context;
use crate::error::ToolError;

/// The arguments of a tool or prompt as one struct, whose fields are the arguments.
///
/// The struct is a [`#[mcp::model]`](crate::mcp::model) with named fields. Its descriptions, constraints and defaults
/// are published in the input schema, and clients see no difference to arguments that are parameters. `#[arg(flatten)]`
/// does the same for a parameter without this type.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// #[mcp::model]
/// struct NewIssue {
///     /// One line.
///     #[arg(min_length = 1)]
///     title: String,
///     #[arg(default = [])]
///     labels: Vec<String>,
/// }
///
/// /// Opens an issue.
/// #[mcp::tool]
/// async fn open_issue(new: Args<NewIssue>) -> String {
///     format!("{} has {} labels", new.title, new.labels.len())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Args<T>(pub T);

impl<T> Deref for Args<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Args<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// No type implements this trait: it provides the error message for `#[arg(…)]` on [`Args`].
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has all arguments of its struct, so `#[arg(…)]` has no effect here",
    label = "the fields of the struct are the arguments",
    note = "remove the `#[arg(…)]`, or put it on a field of the struct"
)]
pub trait ConfigurableArgs {}

/// A parameter that is read from the members which no other parameter takes.
#[doc(hidden)]
pub struct FlatArgument<T> {
    parameter: &'static Parameter,
    members: FlatMembers,
    value: Option<T>,
    read: fn(&mut JsonReader<'_>) -> serde_json::Result<T>,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

impl<T> FlatArgument<T> {
    fn new<S: ArgumentValue>(
        parameter: &'static Parameter,
        read: fn(&mut JsonReader<'_>) -> serde_json::Result<T>,
    ) -> Self {
        FlatArgument {
            parameter,
            members: FlatMembers::new(FieldNames::new(S::field_names(), TypeId::of::<S>(), S::own_schema)),
            value: None,
            read,
            schema: S::own_schema,
        }
    }

    /// Ignores a default, which is reported as an option of [`Args`] or beside `flatten`.
    pub fn with_default<D>(self, _: fn() -> D) -> Self {
        self
    }

    pub fn resolve(self, _: &Context) -> Ready<Result<T, ToolError>> {
        ready(self.value.ok_or_else(|| ToolError::internal("an argument was not read")))
    }
}

impl<T> Slot for FlatArgument<T> {
    fn is_filled(&self) -> bool {
        self.value.is_some()
    }

    fn fill_absent(&mut self) -> bool {
        let text = self.members.finish();
        let result = match self.members.find_duplicate(&text) {
            Some(error) => Err(error),
            None => {
                let _strict = StrictGuard::new();
                (self.read)(&mut serde_json::Deserializer::from_str(&text))
            }
        };
        match result {
            Ok(value) => self.value = Some(value),
            Err(error) => self.members.fail(text, error),
        }
        self.value.is_some()
    }

    fn flat_members(&mut self) -> Option<&mut FlatMembers> {
        Some(&mut self.members)
    }

    fn describe(&self, description: &mut Description) {
        description.flatten(self.parameter, self.schema, self.members.takes_all());
    }
}

/// The type of a parameter that is [`Args`].
#[doc(hidden)]
pub trait WholeInput: Sized {
    type Fields;

    fn from_fields(fields: Self::Fields) -> Self;
}

impl<T> WholeInput for Args<T> {
    type Fields = T;

    fn from_fields(fields: T) -> Self {
        Args(fields)
    }
}

#[doc(hidden)]
pub struct ArgsKind<T>(PhantomData<fn() -> T>);

impl<T> Input<Args<T>> {
    /// Selects [`Args`] before the traits of the probe are considered.
    pub fn kind(&self) -> ArgsKind<Args<T>> {
        ArgsKind(PhantomData)
    }
}

impl<T> ArgsKind<T> {
    pub fn slot_for<U>(self, parameter: &'static Parameter) -> FlatArgument<U>
    where
        U: WholeInput,
        U::Fields: ToolArgument,
    {
        FlatArgument::new::<U::Fields>(parameter, |reader| U::Fields::read(reader).map(U::from_fields))
    }

    /// Does the same for `Args(input): Args<T>`.
    pub fn pattern_for<U>(self, parameter: &'static Parameter) -> FlatArgument<U>
    where
        U: WholeInput,
        U::Fields: ToolArgument,
    {
        self.slot_for(parameter)
    }

    /// Does the same after `configurable` has failed, because all arguments are in the struct already.
    pub fn flat_slot_for<U>(self, parameter: &'static Parameter) -> FlatArgument<U>
    where
        U: WholeInput,
        U::Fields: ToolArgument,
    {
        self.slot_for(parameter)
    }

    /// Always fails with our message.
    pub fn variable_for<U>(self, parameter: &'static Parameter) -> FlatArgument<U>
    where
        U: WholeInput + TemplateVariable,
        U::Fields: ToolArgument,
    {
        self.slot_for(parameter)
    }

    /// Always fails with our message.
    pub fn injected_for<U>(self, parameter: &'static Parameter) -> FlatArgument<U>
    where
        U: WholeInput + InjectedParameter,
        U::Fields: ToolArgument,
    {
        self.slot_for(parameter)
    }

    /// Fails, because the options belong to the fields.
    pub fn configurable(self) -> Self
    where
        T: ConfigurableArgs,
    {
        self
    }
}

impl<T: ?Sized> ArgumentKind<T> {
    pub fn flat_slot_for<U>(self, parameter: &'static Parameter) -> FlatArgument<U::Owned>
    where
        U: Lend + ?Sized,
        U::Owned: ToolArgument,
    {
        FlatArgument::new::<U::Owned>(parameter, <U::Owned as ArgumentValue>::read)
    }
}

impl<T> InjectedKind<T> {
    /// Ignores the option, which is reported as an option of an injected parameter.
    pub fn flat_slot_for<U: FromContext>(self, parameter: &'static Parameter) -> Injected<U> {
        self.slot_for(parameter)
    }
}
