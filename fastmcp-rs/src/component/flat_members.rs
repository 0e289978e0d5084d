//! The members of a call that belong to a flattened struct, and the names of its fields.

use std::any::TypeId;

use schemars::generate::Contract;
use schemars::{Schema, SchemaGenerator};
use serde::de::value::Error as PlainError;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde_json::Value;

use crate::schema::duplicate_keys::find_duplicate;
use crate::schema::generator::generator;
use crate::schema::normalize;
use crate::util::sync::RwLock;

/// The members that a flattened struct has received so far.
#[doc(hidden)]
#[derive(Debug)]
pub struct FlatMembers {
    fields: FieldNames,
    /// The text of an object without its closing brace.
    text: String,
    /// The members and the reason why the struct cannot be read from them.
    failure: Option<(String, serde_json::Error)>,
}

impl FlatMembers {
    pub(super) fn new(fields: FieldNames) -> FlatMembers {
        FlatMembers { fields, text: String::new(), failure: None }
    }

    /// Returns true if the struct has a field of this name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.fields.names.contains(&name)
    }

    /// Returns true if the struct takes members of any name.
    pub(super) fn takes_all(&self) -> bool {
        self.fields.takes_others
    }

    /// Adds a member; `value` is the text of a JSON value.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&serde_json::Value::from(name).to_string());
        self.text.push(':');
        self.text.push_str(value);
    }

    pub(super) fn fail(&mut self, members: String, error: serde_json::Error) {
        self.failure = Some((members, error));
    }

    pub(super) fn take_failure(&mut self) -> Option<(String, serde_json::Error)> {
        self.failure.take()
    }

    /// Returns the object with all members.
    pub(super) fn finish(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        if text.is_empty() { "{}".to_owned() } else { text + "}" }
    }

    /// Returns the error for a member that is given twice, if the struct's `Deserialize` may accept that.
    pub(super) fn find_duplicate(&self, members: &str) -> Option<serde_json::Error> {
        if self.fields.is_listed {
            return None;
        }
        let name = find_duplicate(members)?;
        Some(serde_json::Error::custom(format_args!("`{}` is given twice", name.chars().take(128).collect::<String>())))
    }
}

/// The names of a struct's fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldNames {
    names: &'static [&'static str],
    /// True if the struct takes members of other names, too.
    takes_others: bool,
    /// True if the struct's `Deserialize` has this list, and so rejects duplicates.
    is_listed: bool,
}

impl FieldNames {
    /// Returns the names that the `Deserialize` of a type lists, or else those in its schema: a struct that flattens
    /// others reads a map, as a map itself does.
    pub(super) fn new(
        listed: Option<&'static [&'static str]>,
        id: TypeId,
        schema: fn(&mut SchemaGenerator) -> Schema,
    ) -> FieldNames {
        match listed {
            Some(names) => FieldNames { names, takes_others: false, is_listed: true },
            None => described_names(id, schema),
        }
    }
}

/// Returns the names in the schema of a type. They are computed once per type, of which a program has few.
#[cold]
fn described_names(id: TypeId, schema: fn(&mut SchemaGenerator) -> Schema) -> FieldNames {
    static KNOWN: RwLock<Vec<(TypeId, FieldNames)>> = RwLock::new(Vec::new());
    let known = KNOWN.read().iter().find(|(of, _)| *of == id).copied();
    if let Some((_, names)) = known {
        return names;
    }
    let schema = flat_schema(schema, &mut generator(Contract::Deserialize));
    let properties = schema.get("properties").and_then(Value::as_object);
    let names = properties.into_iter().flat_map(|members| members.keys());
    let names: Vec<&'static str> = names.map(|name| &*name.clone().leak()).collect();
    let takes_others = schema.get("additionalProperties").is_some_and(|others| *others != Value::Bool(false));
    let names = FieldNames { names: names.leak(), takes_others, is_listed: false };
    KNOWN.write().push((id, names));
    names
}

/// Returns the normalised schema of a type with fields.
pub(super) fn flat_schema(schema: fn(&mut SchemaGenerator) -> Schema, generator: &mut SchemaGenerator) -> Value {
    let mut schema = schema(generator).to_value();
    // A newtype refers to the type inside of it.
    while let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/")) {
        let Some(definition) = generator.definitions().get(name) else { break };
        schema = definition.clone();
    }
    normalize::normalize_input(schema)
}

/// Returns the names of a type's fields, if its `Deserialize` reads a struct with a fixed list of fields.
pub(super) fn field_names<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let mut names = None;
    let _: Result<T, PlainError> = T::deserialize(NameReader(&mut names));
    names
}

/// A deserializer that learns the names of a struct's fields, and has no value.
struct NameReader<'a>(&'a mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for NameReader<'_> {
    type Error = PlainError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, PlainError> {
        Err(PlainError::custom(""))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PlainError> {
        *self.0 = Some(fields);
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, PlainError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
