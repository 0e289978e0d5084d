//! Models: the checks of their fields, and models that are only arguments or only results.
//!
//! The derives of serde and schemars need three traits of each field, and rustc would report each of them several
//! times. So the expansion requires a field's type once, through [`ModelField`] or one of its siblings. If it derives
//! on a hidden copy of the model, whose implementations exist only if all fields have their traits, an unfit field has
//! no further errors: the fallbacks in [`probe`] take the place of the missing implementations.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize, Serializer};

use crate::schema::constraints::{Constraints, check_field};

/// The type of a field of a model.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a field in a model",
    label = "put `#[mcp::model]` on this type",
    note = "the model needs `Serialize` and `Deserialize` of serde 1 and `JsonSchema` of schemars 1 for this type, and `#[mcp::model]` derives them; derives of other major versions of these crates do not count",
    note = "if the type has parameters, the types in its angle brackets need `#[mcp::model]` too",
    note = "a type of another crate, such as a date, a UUID or a URL, needs the feature of fastmcp-rs that has the name of that crate"
)]
pub trait ModelField: Serialize + DeserializeOwned + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema> ModelField for T {}

/// The type of a field of a model that is only a result.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a field in a model",
    label = "put `#[mcp::model]` on this type",
    note = "the model needs `Serialize` of serde 1 and `JsonSchema` of schemars 1 for this type, and `#[mcp::model]` derives them; derives of other major versions of these crates do not count",
    note = "if the type has parameters, the types in its angle brackets need `#[mcp::model]` too",
    note = "a type of another crate, such as a date, a UUID or a URL, needs the feature of fastmcp-rs that has the name of that crate"
)]
pub trait OutputField: Serialize + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + ?Sized> OutputField for T {}

/// The type of a field of a model that is only an argument.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a field in a model",
    label = "put `#[mcp::model]` on this type",
    note = "the model needs `Deserialize` of serde 1 and `JsonSchema` of schemars 1 for this type, and `#[mcp::model]` derives them; derives of other major versions of these crates do not count",
    note = "if the type has parameters, the types in its angle brackets need `#[mcp::model]` too",
    note = "a type of another crate, such as a date, a UUID or a URL, needs the feature of fastmcp-rs that has the name of that crate"
)]
pub trait InputField: DeserializeOwned + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> InputField for T {}

/// Requires that a type can be that of a field in a model.
#[doc(hidden)]
pub fn model_field<T: ModelField>() {}

/// Requires that a type can be that of a field in a model that is only a result.
#[doc(hidden)]
pub fn output_field<T: OutputField + ?Sized>() {}

/// Requires that a type can be that of a field in a model that is only an argument.
#[doc(hidden)]
pub fn input_field<T: InputField>() {}

/// Whether a type fits as a field. The fallback in [`probe`] is false, so that a list of an unfit type is not reported
/// beside the type itself.
#[doc(hidden)]
pub struct FieldFit<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ModelField> FieldFit<T> {
    pub const IN_MODEL: bool = true;
}

impl<T: DeserializeOwned> FieldFit<T> {
    /// Returns the default of the field.
    pub fn preset(json: &'static str) -> T {
        preset(json)
    }
}

impl<T: Serialize> FieldFit<T> {
    /// Checks the constraints of the field.
    ///
    /// # Errors
    ///
    /// Returns the field and the violated constraint.
    pub fn check(value: &T, constraints: &Constraints, field: &str) -> Result<(), String> {
        check_field(value, constraints, field)
    }
}

impl<T: OutputField + ?Sized> FieldFit<T> {
    pub const IN_OUTPUT: bool = true;
}

impl<T: InputField> FieldFit<T> {
    pub const IN_INPUT: bool = true;
}

/// Returns the default of a model's field.
///
/// # Panics
///
/// Panics if the text is not a `T`. The macro checks literals as far as it can, and the server calls this at start,
/// when it makes the schema of a model.
#[doc(hidden)]
pub fn preset<T: DeserializeOwned>(json: &'static str) -> T {
    match serde_json::from_str(json) {
        Ok(value) => value,
        Err(error) => panic!("the default {json} does not fit its field: {error}"),
    }
}

/// The schema of the hidden copy of a model.
#[doc(hidden)]
pub struct SchemaOf<T>(PhantomData<fn() -> T>);

impl<T: JsonSchema> SchemaOf<T> {
    pub const FUNCTIONS: SchemaFunctions = SchemaFunctions {
        inline_schema: T::inline_schema,
        name: T::schema_name,
        id: T::schema_id,
        schema: T::json_schema,
        schema_without_null: T::_schemars_private_non_optional_json_schema,
        is_option: T::_schemars_private_is_option,
    };
}

/// The functions of `JsonSchema`, to which a model forwards its own.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct SchemaFunctions {
    pub inline_schema: fn() -> bool,
    pub name: fn() -> Cow<'static, str>,
    pub id: fn() -> Cow<'static, str>,
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    pub schema_without_null: fn(&mut SchemaGenerator) -> Schema,
    pub is_option: fn() -> bool,
}

/// A model that is only a result: it has no `Deserialize`.
#[doc(hidden)]
pub trait OutputOnly {}

impl<T: OutputOnly> OutputOnly for [T] {}
impl<T: OutputOnly> OutputOnly for Vec<T> {}
impl<T: OutputOnly> OutputOnly for Option<T> {}
impl<T: OutputOnly + ?Sized> OutputOnly for Box<T> {}
impl<K, T: OutputOnly, S> OutputOnly for HashMap<K, T, S> {}
impl<K, T: OutputOnly> OutputOnly for BTreeMap<K, T> {}

/// A model that is only an argument: it has no `Serialize`.
#[doc(hidden)]
pub trait InputOnly {}

impl<T: InputOnly> InputOnly for Vec<T> {}
impl<T: InputOnly> InputOnly for Option<T> {}
impl<T: InputOnly + ?Sized> InputOnly for Box<T> {}
impl<K, T: InputOnly, S> InputOnly for HashMap<K, T, S> {}
impl<K, T: InputOnly> InputOnly for BTreeMap<K, T> {}

/// No type implements this trait: it provides the error message for an argument that is only a result.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a model for results only, so it cannot be an argument",
    label = "this model cannot be read from JSON",
    note = "remove `output` from the model's `#[mcp::model(output)]`, or take another type here",
    note = "a model with a reference, such as `&'static str`, is for results only: own the data, as in `String`"
)]
pub trait ReadableModel {}

/// No type implements this trait: it provides the error message for a result that is only an argument.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a model for arguments only, so a tool cannot return it",
    label = "this model cannot be written as JSON",
    note = "remove `input` from the model's `#[mcp::model(input)]`, or return another type"
)]
pub trait WritableModel {}

/// The traits that stand in for missing implementations of an unfit model. Their functions never run, because the
/// model does not compile.
#[doc(hidden)]
#[allow(unreachable_pub)] // They are exported as `_`.
pub mod probe {
    use super::*;

    pub trait UnfitField {
        const IN_MODEL: bool = false;
        const IN_OUTPUT: bool = false;
        const IN_INPUT: bool = false;
    }
    impl<T: ?Sized> UnfitField for FieldFit<T> {}

    pub trait UnfitValue<T> {
        fn preset(_: &'static str) -> T {
            unreachable!()
        }
        fn check(_: &T, _: &Constraints, _: &str) -> Result<(), String> {
            unreachable!()
        }
    }
    impl<T> UnfitValue<T> for FieldFit<T> {}

    pub trait UnfitSchema {
        const FUNCTIONS: SchemaFunctions = SchemaFunctions {
            inline_schema: || unreachable!(),
            name: || unreachable!(),
            id: || unreachable!(),
            schema: |_| unreachable!(),
            schema_without_null: |_| unreachable!(),
            is_option: || unreachable!(),
        };
    }
    impl<T> UnfitSchema for SchemaOf<T> {}

    /// The functions that serde derives on the hidden copy.
    pub trait UnfitModel<M> {
        fn serialize<S: Serializer>(_: &M, _: S) -> Result<S::Ok, S::Error> {
            unreachable!()
        }
        fn deserialize<'de, D: Deserializer<'de>>(_: D) -> Result<M, D::Error> {
            unreachable!()
        }
    }
}
