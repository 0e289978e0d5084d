//! The members of a call that belong to a flattened struct, and the names of its fields.

use serde::de::value::Error as PlainError;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};

/// The members that a flattened struct has received so far.
#[doc(hidden)]
#[derive(Debug)]
pub struct FlatMembers {
    /// The names of the struct's fields; none if it takes every member.
    names: Option<&'static [&'static str]>,
    /// The text of an object without its closing brace.
    text: String,
    /// The members and the reason why the struct cannot be read from them.
    failure: Option<(String, serde_json::Error)>,
}

impl FlatMembers {
    pub(super) fn new(names: Option<&'static [&'static str]>) -> FlatMembers {
        FlatMembers { names, text: String::new(), failure: None }
    }

    /// Returns true if the struct has a field of this name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.is_some_and(|names| names.contains(&name))
    }

    /// Returns true if the struct takes members of any name.
    pub(super) fn takes_all(&self) -> bool {
        self.names.is_none()
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
}

/// Returns the names of a type's fields, if its `Deserialize` reads a struct with a fixed list of fields.
pub(super) fn field_names<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let mut names = None;
    let _: Result<T, PlainError> = T::deserialize(FieldNames(&mut names));
    names
}

/// A deserializer that learns the names of a struct's fields, and has no value.
struct FieldNames<'a>(&'a mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for FieldNames<'_> {
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
