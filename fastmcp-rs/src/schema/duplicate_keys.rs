//! Finds duplicate members of objects.
//!
//! A parsed tree of values silently keeps the last duplicate, so the text is checked before it is parsed: two readers
//! of one call must not see different arguments.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::protocol::frame::without_position;

/// Returns the name of the first duplicate member in any object of this JSON text.
pub(crate) fn find_duplicate(json: &str) -> Option<String> {
    let error = serde_json::from_str::<Unique>(json).err()?;
    without_position(&error).strip_prefix(MARK).map(str::to_owned)
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

/// Compares the search with one that collects the names of each object, for the tests and for the fuzz targets. The text
/// is JSON.
#[cfg(any(test, fuzzing))]
pub(crate) fn check_duplicates(text: &str) {
    use serde_json::value::RawValue;

    use crate::json::oracles::members_by_serde_json;

    fn find_naively(text: &str) -> Option<String> {
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
            return items.iter().find_map(|item| find_naively(item.get()));
        }
        let mut names = HashSet::new();
        members_by_serde_json(text)?.into_iter().find_map(|(name, value)| {
            find_naively(value.get()).or_else(|| (!names.insert(name.clone())).then_some(name))
        })
    }

    assert_eq!(find_duplicate(text), find_naively(text), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::oracles::vary;

    #[test]
    fn the_same_duplicates_are_found_as_by_collecting_names() {
        let texts = [
            r#"{"a":[{"b":1,"c":{"b":null,"b":1}},{"b":1}],"\u0061":{"b":"x"}}"#,
            r#"[{"a":1,"b":2,"c":3},{"a":1.5,"b":true,"a":[[]]}]"#,
        ];
        vary(&texts, 5_000, |text| {
            if serde_json::from_str::<serde_json::Value>(text).is_ok() {
                check_duplicates(text);
            }
        });
    }

    #[test]
    fn duplicate_members_are_found_at_any_depth() {
        assert_eq!(find_duplicate(r#"{"a":[{"b":1,"c":null},{"b":1}],"d":{"b":"x"}}"#), None);
        assert_eq!(find_duplicate(r#"{"a":1,"b":2,"\u0061":3}"#).as_deref(), Some("a"));
        assert_eq!(find_duplicate(r#"{"a":[{"b":1.5,"b":true}]}"#).as_deref(), Some("b"));
    }
}
