//! Parameters: arguments, which come from the client, and injected values, which never do.
//!
//! The type alone decides between the two: a type that implements [`FromContext`](crate::handler::FromContext) is
//! injected, every other type is an argument. The macro cannot see types, so it lets method resolution choose
//! ([`probe`]).

use std::any::Any;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use crate::component::arg_checks::{ConfigurableArgument, InjectedParameter, NamedArgument, TemplateVariable};
use crate::component::definition::Parameter;
use crate::component::describe::Description;
use crate::component::extract::{ExtractorError, FromContext, Requirements, State};
use crate::component::flat_members;
use crate::component::model::{OutputOnly, ReadableModel};
use crate::component::slot::{JsonReader, Slot};
use crate::context::Context;
use crate::error::ToolError;
use crate::json::absent::Absent;

/// A type that a tool can take as an argument: every type with `serde::Deserialize` and `schemars::JsonSchema`.
///
/// [`#[mcp::model]`](crate::mcp::model) derives both.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "neither an argument nor injected",
    note = "an argument, and every type inside it, needs `Deserialize` of serde 1, `JsonSchema` of schemars 1 and `Send`: put `#[mcp::model]` on your own types",
    note = "injected types are `&Context`, `State<T>` of a `T` that is `Send` and `Sync`, `Extension<T>` of a `T` that is also `Clone`, and your own types that implement `FromContext` (in an `Option`, `OptionalFromContext`)"
)]
#[cfg_attr(
    not(all(feature = "chrono", feature = "decimal", feature = "jiff", feature = "url", feature = "uuid")),
    diagnostic::on_unimplemented(
        note = "types of chrono, jiff, rust_decimal, url and uuid need a feature of fastmcp-rs: `cargo add fastmcp-rs --features chrono`, `jiff`, `decimal`, `url` or `uuid`"
    )
)]
pub trait ToolArgument: ArgumentValue {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> ToolArgument for T {}

/// Reads and describes the values of a type. It seals [`ToolArgument`], which other crates can only implement by its
/// bounds.
#[doc(hidden)]
pub trait ArgumentValue: Sized + Send + 'static {
    fn read(reader: &mut JsonReader<'_>) -> serde_json::Result<Self>;
    /// Returns the place for a text if this type is `String`, as nearly all arguments are: a `String` needs no
    /// deserializer.
    fn text(place: &mut Option<Self>) -> Option<&mut Option<String>>;
    fn absent() -> Option<Self>;
    fn schema(generator: &mut SchemaGenerator) -> Schema;
    /// Returns the schema itself, even where [`ArgumentValue::schema`] returns a reference to it.
    fn own_schema(generator: &mut SchemaGenerator) -> Schema;
    /// Returns the names of a struct's fields; none if the type takes members of any name.
    fn field_names() -> Option<&'static [&'static str]>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> ArgumentValue for T {
    fn read(reader: &mut JsonReader<'_>) -> serde_json::Result<Self> {
        T::deserialize(reader)
    }

    fn text(place: &mut Option<Self>) -> Option<&mut Option<String>> {
        (place as &mut dyn Any).downcast_mut()
    }

    /// Returns the value of an absent argument, if its type has one. As in serde, this depends on the type, not on its
    /// spelling, so an alias of `Option` is optional.
    fn absent() -> Option<Self> {
        T::deserialize(Absent).ok()
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }

    fn own_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }

    fn field_names() -> Option<&'static [&'static str]> {
        flat_members::field_names::<T>()
    }
}

/// Maps the `Self` of a parameter `&Self` to the owned type that it borrows from: tools own their arguments while they
/// run.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be a parameter of a tool",
    note = "take `&str`, `&Path`, `&[T]`, or `&T` of a type that can be an argument"
)]
pub trait Lend {
    type Owned;
}

impl<T> Lend for T {
    type Owned = T;
}

impl Lend for str {
    type Owned = String;
}

impl<T> Lend for [T] {
    type Owned = Vec<T>;
}

impl Lend for Path {
    type Owned = PathBuf;
}

/// A parameter that comes from the client.
#[doc(hidden)]
pub struct Argument<T: Lend + ?Sized> {
    parameter: &'static Parameter,
    value: Option<T::Owned>,
    read: fn(&mut JsonReader<'_>) -> serde_json::Result<T::Owned>,
    text: fn(&mut Option<T::Owned>) -> Option<&mut Option<String>>,
    absent: fn() -> Option<T::Owned>,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

impl<T: Lend + ?Sized> Argument<T> {
    /// Creates an argument of a type that was refused.
    fn unread(parameter: &'static Parameter) -> Self {
        let unread = |_: &mut JsonReader<'_>| Err(serde::de::Error::custom("this parameter is no argument"));
        Argument {
            parameter,
            value: None,
            read: unread,
            text: |_| None,
            absent: || None,
            schema: |_| Schema::default(),
        }
    }

    pub fn resolve(self, _: &Context) -> Ready<Result<T::Owned, ToolError>> {
        // All arguments are read before the call runs, or the call does not run.
        ready(self.value.ok_or_else(|| ToolError::internal("an argument was not read")))
    }

    pub(crate) fn parameter(&self) -> &'static Parameter {
        self.parameter
    }

    pub(crate) fn set(&mut self, value: T::Owned) {
        self.value = Some(value);
    }

    /// Returns the reason why a JSON text is not a value of this type.
    pub(crate) fn find_misfit(&self, json: &str) -> Option<serde_json::Error> {
        (self.read)(&mut serde_json::Deserializer::from_str(json)).err()
    }

    /// Describes the argument with its examples, without its default.
    pub(crate) fn describe_as(&self, description: &mut Description, required: bool) {
        description.argument(self.parameter, self.schema, required);
        for example in self.parameter.examples {
            if let Some(error) = self.find_misfit(example) {
                description.report_unfit_example(self.parameter, example, &error);
            }
        }
    }

    /// Reads the default in the same way as a value from the client.
    fn preset(&self) -> Option<serde_json::Result<T::Owned>> {
        self.parameter.default.map(|json| (self.read)(&mut serde_json::Deserializer::from_str(json)))
    }
}

impl<T: Lend + ?Sized> Slot for Argument<T> {
    fn argument(&self) -> Option<&'static Parameter> {
        Some(self.parameter)
    }

    fn is_filled(&self) -> bool {
        self.value.is_some()
    }

    fn fill(&mut self, reader: &mut JsonReader<'_>) -> serde_json::Result<()> {
        self.value = Some((self.read)(reader)?);
        Ok(())
    }

    fn text(&mut self) -> Option<&mut Option<String>> {
        (self.text)(&mut self.value)
    }

    fn fill_absent(&mut self) -> bool {
        self.value = match self.preset() {
            Some(preset) => preset.ok(),
            None => (self.absent)(),
        };
        self.value.is_some()
    }

    fn describe(&self, description: &mut Description) {
        let required = self.parameter.default.is_none() && (self.absent)().is_none();
        self.describe_as(description, required);
        if let Some(Err(error)) = self.preset() {
            description.report_unfit_default(self.parameter, &error);
        }
    }
}

/// A parameter that the server provides.
#[doc(hidden)]
pub struct Injected<T>(PhantomData<fn() -> T>);

impl<T: FromContext> Injected<T> {
    pub fn resolve(self, context: &Context) -> impl Future<Output = Result<T, ToolError>> + Send {
        let value = T::from_context(context);
        async move { value.await.map_err(ExtractorError::into_tool_error) }
    }
}

/// The state on which a method is called.
///
/// Only [`receiver`] has bounds, so that a type that cannot be shared is one error.
#[doc(hidden)]
pub struct Receiver<T> {
    state: fn(&Context) -> Result<State<T>, ToolError>,
    requirements: fn(&mut Requirements),
}

/// Creates the receiver; the macro generates this call from `&self`.
#[doc(hidden)]
pub fn receiver<T: Send + Sync + 'static>() -> Receiver<T> {
    Receiver { state: State::find, requirements: State::<T>::requirements }
}

impl<T> Receiver<T> {
    pub async fn resolve(self, context: &Context) -> Result<State<T>, ToolError> {
        (self.state)(context)
    }
}

impl<T> Slot for Receiver<T> {
    fn describe(&self, description: &mut Description) {
        (self.requirements)(&mut description.requirements);
    }
}

impl<T: FromContext> Slot for Injected<T> {
    fn describe(&self, description: &mut Description) {
        T::requirements(&mut description.requirements);
        description.needs_request |= T::NEEDS_REQUEST;
    }
}

/// A parameter type before it is classified.
#[doc(hidden)]
pub struct Input<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> Input<T> {
    pub const NEW: Self = Input(PhantomData);
}

#[doc(hidden)]
pub struct InjectedKind<T>(PhantomData<fn() -> T>);

// `slot_for` takes the type again, spelled out, so that rustc underlines the whole type and not only its first token.
impl<T> InjectedKind<T> {
    pub fn slot_for<U: FromContext>(self, _: &'static Parameter) -> Injected<U> {
        Injected(PhantomData)
    }

    /// Requires that a parameter which is not in the URI is injected.
    pub fn injected_for<U: FromContext>(self, _: &'static Parameter) -> Injected<U> {
        Injected(PhantomData)
    }

    /// Requires that a parameter with a pattern instead of a name is injected.
    pub fn pattern_for<U: FromContext>(self, _: &'static Parameter) -> Injected<U> {
        Injected(PhantomData)
    }

    /// Always fails with our message, because the variables of a URI come from the client.
    pub fn variable_for<U>(self, _: &'static Parameter) -> Injected<U>
    where
        U: FromContext + Lend,
        U::Owned: TemplateVariable,
    {
        Injected(PhantomData)
    }

    /// Fails, because only arguments have options.
    pub fn configurable(self) -> Self
    where
        T: ConfigurableArgument,
    {
        self
    }
}

#[doc(hidden)]
pub struct ArgumentKind<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> ArgumentKind<T> {
    pub fn variable_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: ToolArgument,
    {
        self.slot_for(parameter)
    }

    /// Always fails with our message.
    pub fn injected_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: InjectedParameter,
    {
        Self::unreadable(parameter)
    }

    /// Always fails with our message.
    pub fn pattern_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: NamedArgument,
    {
        Self::unreadable(parameter)
    }

    fn unreadable<U: Lend + ?Sized>(parameter: &'static Parameter) -> Argument<U> {
        Argument::unread(parameter)
    }

    pub fn slot_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: ToolArgument,
    {
        Argument {
            parameter,
            value: None,
            read: <U::Owned as ArgumentValue>::read,
            text: <U::Owned as ArgumentValue>::text,
            absent: <U::Owned as ArgumentValue>::absent,
            schema: <U::Owned as ArgumentValue>::schema,
        }
    }

    pub fn configurable(self) -> Self {
        self
    }
}

/// A model that is only a result.
#[doc(hidden)]
pub struct OutputOnlyKind<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> OutputOnlyKind<T> {
    /// Always fails with our message.
    pub fn slot_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: ReadableModel,
    {
        Argument::unread(parameter)
    }

    /// Always fails with our message.
    pub fn variable_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: ReadableModel,
    {
        Argument::unread(parameter)
    }

    /// Always fails with our message.
    pub fn flat_slot_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: ReadableModel,
    {
        Argument::unread(parameter)
    }

    /// Always fails with our message.
    pub fn pattern_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: NamedArgument,
    {
        Argument::unread(parameter)
    }

    /// Always fails with our message.
    pub fn injected_for<U>(self, parameter: &'static Parameter) -> Argument<U>
    where
        U: Lend + ?Sized,
        U::Owned: InjectedParameter,
    {
        Argument::unread(parameter)
    }

    pub fn configurable(self) -> Self {
        self
    }
}

/// The traits by which method resolution inspects a type.
///
/// `(&Input::<T>::NEW).kind()` selects the first trait whose bound `T` satisfies, because the first one needs no
/// further reference. Each fallback is unconditional, and the method that is called on its return value checks the
/// bound. So a type that fits nothing is one error with our message, not a list of the methods that were tried.
#[doc(hidden)]
#[allow(unreachable_pub)] // They are exported as `_`.
pub mod probe {
    use super::*;

    pub trait InjectedInput<T> {
        fn kind(&self) -> InjectedKind<T>;
    }
    impl<T: FromContext> InjectedInput<T> for Input<T> {
        fn kind(&self) -> InjectedKind<T> {
            InjectedKind(PhantomData)
        }
    }
    /// The trait for models that are only results. Such a model is never injected, so it has the place of
    /// [`InjectedInput`].
    pub trait OutputOnlyInput<T: ?Sized> {
        fn kind(&self) -> OutputOnlyKind<T>;
    }
    impl<T: OutputOnly + ?Sized> OutputOnlyInput<T> for Input<T> {
        fn kind(&self) -> OutputOnlyKind<T> {
            OutputOnlyKind(PhantomData)
        }
    }
    pub trait ArgumentInput<T: ?Sized> {
        fn kind(&self) -> ArgumentKind<T>;
    }
    impl<T: ?Sized> ArgumentInput<T> for &Input<T> {
        fn kind(&self) -> ArgumentKind<T> {
            ArgumentKind(PhantomData)
        }
    }
}
