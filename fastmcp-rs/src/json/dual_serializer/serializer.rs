//! Serializes each kind of value to the JSON that serde_json writes.

use std::fmt::{self, Display, Write};

use serde::ser::{self, Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::{Error, Result};

use super::DualWriter;

/// Values that only serde_json can write: structs of such a name, with one field.
const RAW_VALUES: [&str; 2] = ["$serde_json::private::RawValue", "$serde_json::private::Number"];

/// Defines methods for whole numbers.
macro_rules! integers {
    ($($serialize:ident, $write:ident, $type:ty;)*) => {
        $(
            #[inline]
            fn $serialize(self, value: $type) -> Result<()> {
                CompactFormatter.$write(&mut *self.json, value).map_err(Error::io)
            }
        )*
    };
}

impl<'a, 'b> Serializer for &'a mut DualWriter<'b> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = ArraySerializer<'a, 'b>;
    type SerializeTuple = ArraySerializer<'a, 'b>;
    type SerializeTupleStruct = ArraySerializer<'a, 'b>;
    type SerializeTupleVariant = ArraySerializer<'a, 'b>;
    type SerializeMap = ObjectSerializer<'a, 'b>;
    type SerializeStruct = ObjectSerializer<'a, 'b>;
    type SerializeStructVariant = ObjectSerializer<'a, 'b>;

    integers! {
        serialize_i8, write_i8, i8;
        serialize_i16, write_i16, i16;
        serialize_i32, write_i32, i32;
        serialize_i64, write_i64, i64;
        serialize_i128, write_i128, i128;
        serialize_u8, write_u8, u8;
        serialize_u16, write_u16, u16;
        serialize_u32, write_u32, u32;
        serialize_u64, write_u64, u64;
        serialize_u128, write_u128, u128;
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<()> {
        if value {
            self.json.extend_from_slice(b"true");
        } else {
            self.json.extend_from_slice(b"false");
        }
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<()> {
        if !value.is_finite() {
            return Err(no_json_form(value));
        }
        CompactFormatter.write_f32(&mut *self.json, value).map_err(Error::io)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<()> {
        if !value.is_finite() {
            return Err(no_json_form(value));
        }
        CompactFormatter.write_f64(&mut *self.json, value).map_err(Error::io)
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        self.write_string(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        self.collect_seq(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<()> {
        self.json.extend_from_slice(b"null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.write_name(b'{', variant);
        value.serialize(&mut *self)?;
        self.json.push(b'}');
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, _length: Option<usize>) -> Result<ArraySerializer<'a, 'b>> {
        Ok(ArraySerializer { out: self, separator: b'[' })
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<ArraySerializer<'a, 'b>> {
        self.serialize_seq(Some(length))
    }

    #[inline]
    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<ArraySerializer<'a, 'b>> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<ArraySerializer<'a, 'b>> {
        self.write_name(b'{', variant);
        self.serialize_seq(Some(length))
    }

    #[inline]
    fn serialize_map(self, _length: Option<usize>) -> Result<ObjectSerializer<'a, 'b>> {
        Ok(ObjectSerializer { out: self, separator: b'{', raw_value: None })
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, length: usize) -> Result<ObjectSerializer<'a, 'b>> {
        if RAW_VALUES.contains(&name) {
            return Ok(ObjectSerializer { out: self, separator: b'{', raw_value: Some(name) });
        }
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<ObjectSerializer<'a, 'b>> {
        self.write_name(b'{', variant);
        self.serialize_map(Some(length))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<()> {
        self.write_quote();
        if write!(self, "{value}").is_err() {
            return Err(Error::custom("a `Display` implementation returned an error"));
        }
        self.write_quote();
        Ok(())
    }
}

/// Returns the error for NaN and infinity. serde_json would write `null`, which the schema of a number does not allow.
#[cold]
fn no_json_form(value: impl Display) -> Error {
    Error::custom(format_args!("{value} has no JSON form"))
}

impl DualWriter<'_> {
    /// Puts quotes around a key that is a number or a boolean, instead of a separate serializer for keys.
    #[cold]
    fn write_quoted_key(&mut self, start: usize) -> Result<()> {
        if !matches!(self.json.get(start), Some(b'-' | b'0'..=b'9' | b't' | b'f')) {
            return Err(Error::custom("a key must be a string, a finite number or a boolean"));
        }
        self.json.insert(start, b'"');
        self.text.extend_from_slice(b"\\\"");
        self.copied = start + 1;
        self.write_quote();
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn write_raw_value<T: Serialize + ?Sized>(&mut self, value: &RawField<'_, T>) -> Result<()> {
        let start = self.json.len();
        serde_json::to_writer(&mut *self.json, value)?;
        self.end_raw_value(start);
        Ok(())
    }
}

/// Writes the content of a string.
impl fmt::Write for DualWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write_characters(text);
        Ok(())
    }
}

/// An array whose serialization has begun.
pub(super) struct ArraySerializer<'a, 'b> {
    out: &'a mut DualWriter<'b>,
    /// The byte before the next element: the opening bracket, which is not written before the first element, or a
    /// comma.
    separator: u8,
}

impl SerializeSeq for ArraySerializer<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.out.write_punctuation(std::mem::replace(&mut self.separator, b','));
        value.serialize(&mut *self.out)
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.out.json.extend_from_slice(if self.separator == b'[' { b"[]" } else { b"]" });
        Ok(())
    }
}

impl ser::SerializeTuple for ArraySerializer<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        SerializeSeq::serialize_element(self, value)
    }

    #[inline]
    fn end(self) -> Result<()> {
        SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for ArraySerializer<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        SerializeSeq::serialize_element(self, value)
    }

    #[inline]
    fn end(self) -> Result<()> {
        SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleVariant for ArraySerializer<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<()> {
        self.out.json.extend_from_slice(if self.separator == b'[' { b"[]}" } else { b"]}" });
        Ok(())
    }
}

/// An object whose serialization has begun.
pub(super) struct ObjectSerializer<'a, 'b> {
    out: &'a mut DualWriter<'b>,
    /// The byte before the next member: the opening brace, which is not written before the first member, or a comma.
    separator: u8,
    /// The entry of [`RAW_VALUES`] that this is.
    raw_value: Option<&'static str>,
}

impl SerializeMap for ObjectSerializer<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.out.write_punctuation(std::mem::replace(&mut self.separator, b','));
        self.out.copy();
        let start = self.out.json.len();
        key.serialize(&mut *self.out)?;
        if self.out.json.get(start) != Some(&b'"') {
            self.out.write_quoted_key(start)?;
        }
        self.out.write_punctuation(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.out)
    }

    fn end(self) -> Result<()> {
        self.out.json.extend_from_slice(if self.separator == b'{' { b"{}" } else { b"}" });
        Ok(())
    }
}

impl SerializeStruct for ObjectSerializer<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        if let Some(raw_value) = self.raw_value {
            return self.out.write_raw_value(&RawField { name: raw_value, field: name, value });
        }
        self.out.write_name(std::mem::replace(&mut self.separator, b','), name);
        value.serialize(&mut *self.out)
    }

    #[inline]
    fn end(self) -> Result<()> {
        match self.raw_value {
            Some(_) => Ok(()),
            None => SerializeMap::end(self),
        }
    }
}

impl ser::SerializeStructVariant for ObjectSerializer<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        SerializeStruct::serialize_field(self, name, value)
    }

    fn end(self) -> Result<()> {
        self.out.json.extend_from_slice(if self.separator == b'{' { b"{}}" } else { b"}}" });
        Ok(())
    }
}

/// One of [`RAW_VALUES`], rebuilt for serde_json.
struct RawField<'a, T: ?Sized> {
    name: &'static str,
    field: &'static str,
    value: &'a T,
}

impl<T: Serialize + ?Sized> Serialize for RawField<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut value = serializer.serialize_struct(self.name, 1)?;
        value.serialize_field(self.field, self.value)?;
        value.end()
    }
}
