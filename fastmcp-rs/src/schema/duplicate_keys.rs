//! Finds duplicate members of objects.
//!
//! A parsed tree of values silently keeps the last duplicate, so the text is checked before it is parsed: two readers
//! of one call must not see different arguments.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Returns the name of the first duplicate member in any object of this JSON text.
pub(crate) fn find_duplicate(json: &str) -> Option<String> {
    let error = serde_json::from_str::<Unique>(json).err()?;
    let text = error.to_string();
    let name = text.strip_prefix(MARK)?;
    Some(name[..name.rfind(" at line ").unwrap_or(name.len())].to_owned())
}

const MARK: &str = "twice: ";

struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            map.next_value::<Unique>()?;
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format_args!("{MARK}{name}")));
            }
        }
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
        while seq.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::find_duplicate;

    #[test]
    fn duplicate_members_are_found_at_any_depth() {
        assert_eq!(find_duplicate(r#"{"a":[{"b":1,"c":null},{"b":1}],"d":{"b":"x"}}"#), None);
        assert_eq!(find_duplicate(r#"{"a":1,"b":2,"\u0061":3}"#).as_deref(), Some("a"));
        assert_eq!(find_duplicate(r#"{"a":[{"b":1.5,"b":true}]}"#).as_deref(), Some("b"));
    }
}
