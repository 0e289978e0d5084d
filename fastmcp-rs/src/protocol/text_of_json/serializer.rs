//! What each kind of value is in JSON: what serde_json makes of it.

use std::fmt::{self, Display, Write};

use serde::ser::{self, Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::{Error, Result};

use super::Twice;

/// Values that only serde_json knows how to write are structs of such a name, with a field of the same name.
const OF_SERDE_JSON: &str = "$serde_json::private::";

/// Methods for numbers and booleans.
macro_rules! plain_values {
    ($($serialize:ident, $write:ident, $type:ty;)*) => {
        $(
            #[inline]
            fn $serialize(self, value: $type) -> Result<()> {
                CompactFormatter.$write(self, value).map_err(Error::io)
            }
        )*
    };
}

impl<'a, 'b> Serializer for &'a mut Twice<'b> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Elements<'a, 'b>;
    type SerializeTuple = Elements<'a, 'b>;
    type SerializeTupleStruct = Elements<'a, 'b>;
    type SerializeTupleVariant = Elements<'a, 'b>;
    type SerializeMap = Members<'a, 'b>;
    type SerializeStruct = Members<'a, 'b>;
    type SerializeStructVariant = Members<'a, 'b>;

    plain_values! {
        serialize_bool, write_bool, bool;
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
    fn serialize_f32(self, value: f32) -> Result<()> {
        if !value.is_finite() {
            return self.serialize_unit();
        }
        CompactFormatter.write_f32(self, value).map_err(Error::io)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<()> {
        if !value.is_finite() {
            return self.serialize_unit();
        }
        CompactFormatter.write_f64(self, value).map_err(Error::io)
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        self.string(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        self.collect_seq(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<()> {
        self.same(b"null");
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
        self.begin_variant(variant);
        value.serialize(&mut *self)?;
        self.same(b"}");
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
    fn serialize_seq(self, _length: Option<usize>) -> Result<Elements<'a, 'b>> {
        Ok(Elements { out: self, separator: b'[' })
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Elements<'a, 'b>> {
        self.serialize_seq(Some(length))
    }

    #[inline]
    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Elements<'a, 'b>> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Elements<'a, 'b>> {
        self.begin_variant(variant);
        self.serialize_seq(Some(length))
    }

    #[inline]
    fn serialize_map(self, _length: Option<usize>) -> Result<Members<'a, 'b>> {
        Ok(Members { out: self, separator: b'{', of_serde_json: None })
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Members<'a, 'b>> {
        if name.starts_with(OF_SERDE_JSON) {
            return Ok(Members { out: self, separator: b'{', of_serde_json: Some(name) });
        }
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Members<'a, 'b>> {
        self.begin_variant(variant);
        self.serialize_map(Some(length))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<()> {
        self.quote();
        if write!(self, "{value}").is_err() {
            return Err(Error::custom("a `Display` implementation returned an error"));
        }
        self.quote();
        Ok(())
    }
}

impl Twice<'_> {
    /// Begins an object whose only member tells which variant a value is.
    fn begin_variant(&mut self, variant: &'static str) {
        self.name(b'{', variant);
    }
}

/// What stands in a string.
impl fmt::Write for Twice<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.characters(text);
        Ok(())
    }
}

/// An array that was begun.
pub(super) struct Elements<'a, 'b> {
    out: &'a mut Twice<'b>,
    /// What stands before the next: what opens it, or a comma.
    separator: u8,
}

impl SerializeSeq for Elements<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.out.same(&[std::mem::replace(&mut self.separator, b',')]);
        value.serialize(&mut *self.out)
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.out.same(if self.separator == b'[' { b"[]" } else { b"]" });
        Ok(())
    }
}

impl ser::SerializeTuple for Elements<'_, '_> {
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

impl ser::SerializeTupleStruct for Elements<'_, '_> {
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

impl ser::SerializeTupleVariant for Elements<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<()> {
        self.out.same(if self.separator == b'[' { b"[]}" } else { b"]}" });
        Ok(())
    }
}

/// An object that was begun.
pub(super) struct Members<'a, 'b> {
    out: &'a mut Twice<'b>,
    /// What stands before the next: what opens it, or a comma.
    separator: u8,
    /// The name of a value that only serde_json knows how to write.
    of_serde_json: Option<&'static str>,
}

impl SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = Error;

    /// Numbers and booleans get quotes when they are written, instead of a serialiser for keys alone.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.out.same(&[std::mem::replace(&mut self.separator, b',')]);
        let places = [self.out.json.len(), self.out.text.len()];
        key.serialize(&mut *self.out)?;
        self.out.end_key(places)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.out)
    }

    fn end(self) -> Result<()> {
        self.out.same(if self.separator == b'{' { b"{}" } else { b"}" });
        Ok(())
    }
}

impl Twice<'_> {
    /// Sees to it that what was written since then is a string.
    fn end_key(&mut self, [json, text]: [usize; 2]) -> Result<()> {
        match self.json.get(json) {
            Some(b'"') => {}
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.json.insert(json, b'"');
                self.text.splice(text..text, *b"\\\"");
                self.quote();
            }
            _ => return Err(Error::custom("a key must be a string, a finite number or a boolean")),
        }
        self.same(b":");
        Ok(())
    }
}

impl SerializeStruct for Members<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        if let Some(of_serde_json) = self.of_serde_json {
            return self.out.of_serde_json(&OfSerdeJson { name: of_serde_json, field: name, value });
        }
        self.out.name(std::mem::replace(&mut self.separator, b','), name);
        value.serialize(&mut *self.out)
    }

    #[inline]
    fn end(self) -> Result<()> {
        match self.of_serde_json {
            Some(_) => Ok(()),
            None => SerializeMap::end(self),
        }
    }
}

impl ser::SerializeStructVariant for Members<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        SerializeStruct::serialize_field(self, name, value)
    }

    fn end(self) -> Result<()> {
        self.out.same(if self.separator == b'{' { b"{}}" } else { b"}}" });
        Ok(())
    }
}

impl Twice<'_> {
    #[cold]
    #[inline(never)]
    fn of_serde_json<T: Serialize + ?Sized>(&mut self, value: &OfSerdeJson<'_, T>) -> Result<()> {
        self.raw(&serde_json::to_vec(value)?);
        Ok(())
    }
}

/// The same value again, for serde_json.
struct OfSerdeJson<'a, T: ?Sized> {
    name: &'static str,
    field: &'static str,
    value: &'a T,
}

impl<T: Serialize + ?Sized> Serialize for OfSerdeJson<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut value = serializer.serialize_struct(self.name, 1)?;
        value.serialize_field(self.field, self.value)?;
        value.end()
    }
}
