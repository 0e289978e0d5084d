//! Forms: types whose values can be requested from the person at the client.
//!
//! The traits are markers that `#[mcp::model]` implements. The form is derived from the type's own schema, as schemas
//! of tool arguments are, and the type's own `Deserialize` reads the answer, so that nothing about a field is written
//! twice.

use std::marker::PhantomData;

use schemars::JsonSchema;
use schemars::generate::Contract;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::client_features::form_schema::FormSchema;
use crate::json::absent::Absent;
use crate::protocol::frame::without_position;
use crate::schema::generator::generator;

/// A type whose value can be requested from the person at the client.
///
/// `#[mcp::model]` implements `Form` for a struct whose fields are all [`FormField`]s, and for an enum whose variants
/// have no fields. Strings, numbers, booleans and the other field types are forms with one field, whose name is
/// `value`.
///
/// Doc comments provide the text that the person reads: the description of each field, and the title of each variant
/// (the first paragraph of its comment). `min`, `max`, `min_length`, `max_length` and `default` are sent with the form;
/// constraints that a form cannot express, such as a `pattern`, are checked when the answer arrives.
///
/// Implement `Form` by hand for a type whose JSON differs from its fields, such as one with `#[serde(try_from = "…")]`:
/// `impl Form for Order {}`. Its schema must be that of an object whose members a form can express; otherwise the
/// request to the client fails, and the error names the member.
///
/// Never request passwords, keys and the like in a form: the client sees the input. Ask the person to open a page of
/// yours instead.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema>
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a form",
    label = "not a form",
    note = "a form is a struct with named fields and `#[mcp::model]`, an enum of names with `#[mcp::model]`, or a `String`, `bool` or number",
    note = "every field of the struct must be a `FormField`: a string, a number, a `bool`, an enum of names, a `Vec` of one, or an `Option` of these"
)]
pub trait Form: DeserializeOwned + JsonSchema {
    /// True if this type is a single field, which becomes the only field of a form.
    #[doc(hidden)]
    const IS_FIELD: bool = false;
}

/// A type that can be a field of a [`Form`].
///
/// These types are `String`, `bool`, the integers up to 64 bits, `f32` and `f64`, enums with `#[mcp::model]` whose
/// variants have no fields, a `Vec` of such an enum (a multiple choice), and `Option` of each of them. With the
/// features of the same names, they include `url::Url`, `chrono::NaiveDate`, `chrono::DateTime`, `jiff::civil::Date`
/// and `jiff::Timestamp`.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema>
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a form",
    label = "a form cannot ask for this",
    note = "a field is a `String`, a number up to 64 bits, a `bool`, an enum of names with `#[mcp::model]`, a `Vec` of such an enum, or an `Option` of these",
    note = "dates and URLs of the crates `chrono`, `jiff` and `url` need the feature of that name"
)]
pub trait FormField: FieldType {}

/// An enum of names: `#[mcp::model]` on an enum whose variants have no fields.
///
/// The person chooses one variant, or several if a field is a `Vec` of the enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of names",
    label = "this type has no names to choose from",
    note = "put `#[mcp::model]` on an enum whose variants have no fields"
)]
pub trait FormChoice: FormField {}

/// A type of a field. `#[mcp::model]` and this file implement it, which seals [`FormField`].
#[doc(hidden)]
pub trait FieldType: DeserializeOwned + JsonSchema {}

/// Represents a field in the bounds of a generated `impl Form`. Its lifetime parameter allows the bounds to be false:
/// the type is then not a form, and can still be used in every other way.
#[doc(hidden)]
pub struct FieldOf<'a, T>(PhantomData<&'a T>);

#[doc(hidden)]
pub trait FormMember {}

impl<T: FormField> FormMember for FieldOf<'_, T> {}

macro_rules! fields {
    ($($(#[$attribute:meta])* $ty:ty),* $(,)?) => {$(
        $(#[$attribute])*
        #[diagnostic::do_not_recommend]
        impl FieldType for $ty {}
        $(#[$attribute])*
        #[diagnostic::do_not_recommend]
        impl FormField for $ty {}
        $(#[$attribute])*
        #[diagnostic::do_not_recommend]
        impl Form for $ty {
            const IS_FIELD: bool = true;
        }
    )*};
}

fields! {
    bool, String, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64,
    #[cfg(feature = "url")] url::Url,
    #[cfg(feature = "chrono")] chrono::NaiveDate,
    #[cfg(feature = "chrono")] chrono::DateTime<chrono::Utc>,
    #[cfg(feature = "chrono")] chrono::DateTime<chrono::FixedOffset>,
    #[cfg(feature = "jiff")] jiff::civil::Date,
    #[cfg(feature = "jiff")] jiff::Timestamp,
}

#[diagnostic::do_not_recommend]
impl<T: FormChoice> FieldType for Vec<T> {}
#[diagnostic::do_not_recommend]
impl<T: FormChoice> FormField for Vec<T> {}
#[diagnostic::do_not_recommend]
impl<T: FormChoice> Form for Vec<T> {
    const IS_FIELD: bool = true;
}
#[diagnostic::do_not_recommend]
impl<T: FormField> FieldType for Option<T> {}
#[diagnostic::do_not_recommend]
impl<T: FormField> FormField for Option<T> {}

/// The name of the only field of a form with one field.
const ONLY: &str = "value";

/// Returns the form that requests a `T`.
///
/// # Errors
///
/// Returns a message for the author of `T` that names the part which a form cannot express. Only types whose schema was
/// changed by hand get this far.
pub(crate) fn schema<T: Form>() -> Result<FormSchema, String> {
    let mut generator = generator(Contract::Deserialize);
    let schema = if T::IS_FIELD {
        let mut schema = json!({ "type": "object", "properties": { ONLY: T::json_schema(&mut generator) } });
        if T::deserialize(Absent).is_err() {
            schema["required"] = json!([ONLY]);
        }
        schema
    } else {
        T::json_schema(&mut generator).to_value()
    };
    FormSchema::from_type_schema(schema)
        .map_err(|problem| format!("`{}` cannot be a form: {problem}", T::schema_name()))
}

/// Reads the content of an answer to `schema`.
///
/// # Errors
///
/// Returns all problems with their places.
pub(crate) fn read<T: Form>(schema: &FormSchema, content: Map<String, Value>) -> Result<T, String> {
    let mut content = schema.check(content)?;
    let read = match T::IS_FIELD {
        false => T::deserialize(Value::Object(content)),
        true => match content.remove(ONLY) {
            Some(value) => T::deserialize(value),
            None => return T::deserialize(Absent).map_err(|_| format!("`/{ONLY}`: missing")),
        },
    };
    read.map_err(|error| without_position(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Revision;

    /// How a parcel travels.
    #[derive(Debug, PartialEq, serde::Deserialize, JsonSchema)]
    enum Speed {
        /// Within three days.
        Standard,
        /// Over night. Costs more.
        Express,
    }
    impl FieldType for Speed {}
    impl FormField for Speed {}
    impl FormChoice for Speed {}
    impl Form for Speed {
        const IS_FIELD: bool = true;
    }

    #[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Extra {
        GiftWrap,
        Insurance,
    }
    impl FieldType for Extra {}
    impl FormField for Extra {}
    impl FormChoice for Extra {}

    #[derive(Debug, PartialEq, serde::Deserialize, JsonSchema)]
    struct Parcel {
        /// Who gets it.
        #[schemars(extend("x-fastmcp-min-length" = 2, "pattern" = "^[A-Z]", "examples" = ["Ada"]))]
        recipient: String,
        #[schemars(extend("format" = "email"))]
        email: Option<String>,
        #[schemars(extend("minimum" = 1, "maximum" = 9, "default" = 1))]
        #[serde(default)]
        count: u8,
        weight: Option<f64>,
        speed: Speed,
        /// What else to do.
        other_speed: Option<Speed>,
        #[serde(default)]
        extras: Vec<Extra>,
        #[serde(default)]
        fragile: bool,
    }
    impl Form for Parcel where for<'a> FieldOf<'a, String>: FormMember {}

    fn parcel() -> FormSchema {
        schema::<Parcel>().unwrap()
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_struct_is_a_form_of_its_fields() {
        let speeds = json!([
            { "const": "Standard", "title": "Within three days" },
            { "const": "Express", "title": "Over night. Costs more." },
        ]);
        assert_eq!(
            parcel().for_revision(Revision::V2026_07_28).unwrap(),
            json!({
                "type": "object",
                "properties": {
                    "recipient": { "type": "string", "description": "Who gets it.", "minLength": 2 },
                    "email": { "type": "string", "format": "email" },
                    "count": { "type": "integer", "minimum": 1, "maximum": 9, "default": 1 },
                    "weight": { "type": "number" },
                    "speed": { "type": "string", "description": "How a parcel travels.", "oneOf": speeds },
                    "other_speed": { "type": "string", "description": "What else to do.", "oneOf": speeds },
                    "extras": {
                        "type": "array",
                        "items": { "type": "string", "enum": ["gift-wrap", "insurance"] },
                        "default": [],
                    },
                    "fragile": { "type": "boolean", "default": false },
                },
                "required": ["recipient", "speed"],
            })
        );
    }

    #[test]
    fn forms_have_the_schema_of_older_clients() {
        let problem = parcel().for_revision(Revision::V2025_06_18).unwrap_err();
        assert_eq!(problem, "field `extras` allows several choices, which revision 2025-06-18 does not support");
        assert_eq!(
            schema::<Speed>().unwrap().for_revision(Revision::V2025_06_18).unwrap(),
            json!({
                "type": "object",
                "properties": { "value": {
                    "type": "string",
                    "description": "How a parcel travels.",
                    "enum": ["Standard", "Express"],
                    "enumNames": ["Within three days", "Over night. Costs more."],
                }},
                "required": ["value"],
            })
        );
    }

    #[test]
    fn form_content_is_read_and_coerced() {
        let content = object(json!({
            "recipient": "Ada", "email": "", "count": "3", "weight": 2, "speed": "Express", "extras": ["gift-wrap"],
            "fragile": "true", "not asked": 1,
        }));
        assert_eq!(
            read::<Parcel>(&parcel(), content),
            Ok(Parcel {
                recipient: "Ada".into(),
                email: None,
                count: 3,
                weight: Some(2.0),
                speed: Speed::Express,
                other_speed: None,
                extras: vec![Extra::GiftWrap],
                fragile: true,
            })
        );
    }

    #[test]
    fn every_problem_of_form_content_is_reported() {
        let content = object(json!({
            "recipient": "ada", "email": "nobody", "count": 10, "speed": "fast", "extras": ["gift-wrap", 3],
        }));
        let problems = read::<Parcel>(&parcel(), content).unwrap_err();
        for part in [
            "`/recipient`: must match the pattern `^[A-Z]`",
            "`/email`: expected a string in the format email",
            "`/count`: expected an integer from 1 to 9, got 10",
            "`/speed`: expected one of \"Standard\", \"Express\", got the string \"fast\"",
            "`/extras/1`: expected",
        ] {
            assert!(problems.contains(part), "{part} is not in {problems}");
        }
        assert_eq!(
            read::<bool>(&schema::<bool>().unwrap(), Map::new()),
            Err("`/value`: missing; expected true or false".into())
        );
    }

    #[test]
    fn a_single_value_is_a_form_of_one_field() {
        let form = schema::<u32>().unwrap();
        assert_eq!(
            form.for_revision(Revision::V2025_11_25).unwrap()["properties"]["value"],
            json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
        );
        assert_eq!(read::<u32>(&form, object(json!({ "value": 3.0 }))), Ok(3));
        let several = schema::<Vec<Extra>>().unwrap();
        assert_eq!(read::<Vec<Extra>>(&several, object(json!({ "value": ["insurance"] }))), Ok(vec![Extra::Insurance]));
    }

    #[test]
    fn a_type_with_a_schema_by_hand_is_refused_at_its_field() {
        #[derive(Debug, serde::Deserialize, serde::Serialize, JsonSchema)]
        struct Odd {
            #[schemars(schema_with = "list")]
            items: Vec<String>,
        }
        impl Form for Odd {}
        fn list(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "type": "array", "items": { "type": "string" } })
        }
        let problem = schema::<Odd>().unwrap_err();
        assert!(problem.starts_with("`Odd` cannot be a form: field `items`: a field of a form must be"), "{problem}");
    }

    #[cfg(all(feature = "chrono", feature = "jiff", feature = "url"))]
    #[test]
    fn dates_and_urls_have_their_formats() {
        let format = |form: Result<FormSchema, String>| {
            let schema = form.unwrap().for_revision(Revision::V2025_06_18).unwrap();
            schema["properties"]["value"]["format"].clone()
        };
        assert_eq!(format(schema::<url::Url>()), "uri");
        assert_eq!(format(schema::<chrono::NaiveDate>()), "date");
        assert_eq!(format(schema::<chrono::DateTime<chrono::Utc>>()), "date-time");
        assert_eq!(format(schema::<chrono::DateTime<chrono::FixedOffset>>()), "date-time");
        assert_eq!(format(schema::<jiff::civil::Date>()), "date");
        assert_eq!(format(schema::<jiff::Timestamp>()), "date-time");
        let form = schema::<jiff::Timestamp>().unwrap();
        let answer = object(json!({ "value": "2026-07-28T10:00:00Z" }));
        assert_eq!(read::<jiff::Timestamp>(&form, answer).unwrap().to_string(), "2026-07-28T10:00:00Z");
        assert!(read::<jiff::Timestamp>(&form, object(json!({ "value": "tomorrow" }))).is_err());
    }
}
