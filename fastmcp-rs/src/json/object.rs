//! JSON objects with known members, read in one pass and kept as borrowed text.
//!
//! A derived `Deserialize` would accept a JSON array as a struct, read `null` as an absent member, and fail on the
//! first member of an unexpected type. A protocol engine must distinguish these cases: a `null` id is an error and an
//! absent id marks a notification; a wrong type in a member that the method does not use must be ignored. So members
//! are kept as borrowed raw text and read where they are used.

use std::borrow::Cow;
use std::collections::BTreeMap;

pub(crate) use super::reader::Raw;
use super::reader::{JsonError, Members, Reader};

/// A type that the value of a member can be read into.
pub(crate) trait Member<'a>: Sized {
    /// Reads the next value into its place, so that nothing large is moved.
    fn read(place: &mut Option<Self>, reader: &mut Reader<'a>) -> Result<(), JsonError>;
}

impl<'a> Member<'a> for Raw<'a> {
    // One shared function for all members, which writes each value directly into its place.
    #[inline(never)]
    fn read(place: &mut Option<Self>, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        *place = Some(reader.read_value()?);
        Ok(())
    }
}

/// A member that should be an object: its members, or a marker that the value was something else.
#[derive(Debug)]
pub(crate) enum Object<T> {
    Members(T),
    NotAnObject,
}

impl<T> Object<T> {
    pub(crate) fn members(&self) -> Option<&T> {
        match self {
            Object::Members(members) => Some(members),
            Object::NotAnObject => None,
        }
    }
}

impl<'a, T: Members<'a>> Member<'a> for Object<T> {
    fn read(place: &mut Option<Self>, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        if reader.peek() != Some(b'{') {
            *place = Some(Object::NotAnObject);
            return reader.skip_value();
        }
        match place.insert(Object::Members(T::default())) {
            Object::Members(members) => reader.read_members(members),
            Object::NotAnObject => Ok(()),
        }
    }
}

/// Reads the members of an object that is the whole text.
pub(crate) fn read_members<'a, T: Members<'a>>(text: &'a str) -> Result<T, JsonError> {
    let mut members = T::default();
    let mut reader = Reader::new(text);
    reader.read_members(&mut members)?;
    reader.expect_end()?;
    Ok(members)
}

/// The members of an object whose names are not known in advance: the texts of the values by name, in order of the
/// names. Of duplicate members, the last is kept.
///
/// Names and texts are copied into a map of strings, whose code every server contains anyway; so this type is not meant
/// for the path of every call.
#[derive(Debug, Default)]
pub(crate) struct MemberMap(pub(crate) BTreeMap<String, String>);

impl<'a> Members<'a> for MemberMap {
    const KEYS: &'static [&'static str] = &[];

    fn take(&mut self, _: usize, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.skip_value()
    }

    fn take_other(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        let value = reader.read_value()?;
        self.0.insert(name.to_owned(), value.get().to_owned());
        Ok(())
    }
}

/// An object whose members are all strings. It is only checked, and nothing of it is kept.
#[derive(Debug, Default)]
pub(crate) struct StringMembers;

impl<'a> Members<'a> for StringMembers {
    const KEYS: &'static [&'static str] = &[];

    fn take(&mut self, _: usize, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.skip_value()
    }

    fn take_other(&mut self, _: &str, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.read_value()?.string().map(|_| ()).ok_or(JsonError::Json)
    }
}

/// Defines a struct of optional members and its reader. A duplicate member is an error, because two readers of one
/// message must not see different values.
macro_rules! members {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $key:literal => $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub(crate) struct $name<'a> {
            $(pub(crate) $field: Option<$ty>,)*
        }

        impl<'a> $crate::json::reader::Members<'a> for $name<'a> {
            const KEYS: &'static [&'static str] = &[$(concat!("\"", $key, "\":")),*];

            fn begins(index: usize, text: &[u8]) -> bool {
                // The fields are numbered, and the compiler turns this into a jump table.
                let mut field = 0;
                $(
                    if index == field {
                        return text.starts_with(concat!("\"", $key, "\":").as_bytes());
                    }
                    field += 1;
                )*
                debug_assert!(index < field, "there is no such name");
                false
            }

            fn take(
                &mut self,
                index: usize,
                reader: &mut $crate::json::reader::Reader<'a>,
            ) -> Result<(), $crate::json::reader::JsonError> {
                let mut field = 0;
                $(
                    if index == field {
                        if self.$field.is_some() {
                            reader.duplicate = $key;
                            return Err($crate::json::reader::JsonError::Duplicate);
                        }
                        return $crate::json::object::Member::read(&mut self.$field, reader);
                    }
                    field += 1;
                )*
                debug_assert!(index < field, "there is no such name");
                reader.skip_value()
            }
        }
    };
}
pub(crate) use members;

/// Returns the string in `raw`, or `None` if it is another value; see [`Raw::string`].
pub(crate) fn string_value(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    raw.string()
}
