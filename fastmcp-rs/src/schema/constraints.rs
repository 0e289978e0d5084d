//! The constraints of `#[arg(…)]`. They are published in the schema and enforced on the JSON text itself, so the two
//! cannot differ, and constraints work for any type.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_lite::Regex;
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::json::object::{self, MemberMap};
use crate::schema::mcp_header;
use crate::schema::normalize::length_unit;
use crate::schema::number::{Number, parse_number};
use crate::util::count::counted;

/// The constraints of `#[arg(…)]` on a value, besides its type.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Constraints {
    pub min: Option<Number>,
    pub max: Option<Number>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub pattern: Option<&'static str>,
}

impl Constraints {
    pub const EMPTY: Constraints =
        Constraints { min: None, max: None, min_length: None, max_length: None, pattern: None };

    /// Returns true if there are no constraints.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let Constraints { min, max, min_length, max_length, pattern } = self;
        min.is_none() && max.is_none() && min_length.is_none() && max_length.is_none() && pattern.is_none()
    }
}

/// Adds the constraints to the schema of a property. Whether they fit its type is checked in `checks/parameters.rs`.
pub(crate) fn publish_constraints(constraints: &Constraints, property: &mut Map<String, Value>) {
    let Constraints { min, max, min_length, max_length, pattern } = *constraints;
    for (keyword, bound, tighter) in
        [("minimum", min, std::cmp::Ordering::Greater), ("maximum", max, std::cmp::Ordering::Less)]
    {
        let Some(bound) = bound else { continue };
        // The type's own bound stays if it is tighter.
        let own = property.get(keyword).and_then(parse_number);
        if own.is_none_or(|own| bound.cmp_to(own) == tighter) {
            property.insert(keyword.into(), bound.to_json());
        }
    }
    let unit = length_unit(property);
    for (keyword, bound) in [("min", min_length), ("max", max_length)] {
        if let Some(bound) = bound {
            property.insert(format!("{keyword}{unit}"), bound.into());
        }
    }
    if let Some(pattern) = pattern {
        property.insert("pattern".into(), pattern.into());
    }
}

/// Checks a well-formed JSON value. `null` counts as absent, so constraints do not apply to it.
pub(crate) fn check_json(constraints: &Constraints, is_header: bool, json: &str) -> Result<(), String> {
    let Constraints { min, max, min_length, max_length, pattern } = *constraints;
    let ranged = min.is_some() || max.is_some() || is_header;
    let counted = min_length.is_some() || max_length.is_some();
    if !ranged && !counted && pattern.is_none() {
        return Ok(());
    }
    match json.as_bytes().first() {
        Some(b'0'..=b'9' | b'-') if ranged => {
            let value = json.parse().map(Number::Integer).or_else(|_| json.parse().map(Number::Float));
            let value = value.map_err(|_| "not a number".to_owned())?;
            check_range(value, min, max)?;
            if is_header {
                mcp_header::check_integer(value)?;
            }
            Ok(())
        }
        Some(b'"') if counted || pattern.is_some() => {
            let text: String = serde_json::from_str(json).map_err(|_| "not a string".to_owned())?;
            check_text(&text, min_length, max_length, pattern)
        }
        Some(b'[') if counted => {
            let items: Vec<IgnoredAny> = serde_json::from_str(json).unwrap_or_default();
            check_length(items.len() as u64, min_length, max_length, "item")
        }
        Some(b'{') if counted => {
            let members = object::read_members::<MemberMap>(json).unwrap_or_default().0;
            check_length(members.len() as u64, min_length, max_length, "member")
        }
        _ => Ok(()),
    }
}

/// Checks a field of a model after it was decoded.
///
/// # Errors
///
/// Returns the field and the violated constraint.
#[doc(hidden)]
pub fn check_field<T: Serialize + ?Sized>(value: &T, constraints: &Constraints, field: &str) -> Result<(), String> {
    // The only field of a newtype has no name, because it is the value itself.
    let named = |problem: String| if field.is_empty() { problem } else { format!("{field}: {problem}") };
    let json = serde_json::to_string(value).map_err(|error| named(error.to_string()))?;
    check_json(constraints, false, &json).map_err(named)
}

pub(crate) fn check_range(value: Number, min: Option<Number>, max: Option<Number>) -> Result<(), String> {
    if let Some(min) = min.filter(|min| value.cmp_to(*min).is_lt()) {
        return Err(format!("must be at least {min}"));
    }
    if let Some(max) = max.filter(|max| value.cmp_to(*max).is_gt()) {
        return Err(format!("must be at most {max}"));
    }
    Ok(())
}

pub(crate) fn check_text(
    text: &str,
    min_length: Option<u64>,
    max_length: Option<u64>,
    pattern: Option<&str>,
) -> Result<(), String> {
    if min_length.is_some() || max_length.is_some() {
        // JSON Schema counts characters, not bytes.
        check_length(text.chars().count() as u64, min_length, max_length, "character")?;
    }
    match pattern {
        Some(pattern) if !matches_pattern(pattern, text) => Err(format!("must match the pattern `{pattern}`")),
        _ => Ok(()),
    }
}

pub(crate) fn check_length(length: u64, min: Option<u64>, max: Option<u64>, noun: &str) -> Result<(), String> {
    if let Some(min) = min.filter(|min| length < *min) {
        return Err(format!("must have at least {}, not {length}", counted(min, noun)));
    }
    if let Some(max) = max.filter(|max| length > *max) {
        return Err(format!("must have at most {}, not {length}", counted(max, noun)));
    }
    Ok(())
}

/// The most compiled patterns per thread.
const MAX_COMPILED: usize = 1_000;

/// Returns true if the pattern occurs in the text. Patterns come from the author, so there are few; each thread
/// compiles a pattern once. Invalid patterns of generated schemas are rejected when the server starts; invalid patterns
/// of hand-written schemas accept any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        if !compiled.contains_key(pattern) {
            // Tools that are added and removed at run time bring new patterns.
            if compiled.len() >= MAX_COMPILED {
                compiled.clear();
            }
            compiled.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        compiled.get(pattern).and_then(Option::as_ref).is_none_or(|regex| regex.is_match(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Constraints = Constraints {
        min: Some(Number::Integer(1)),
        max: Some(Number::Float(2.5)),
        min_length: Some(2),
        max_length: Some(3),
        pattern: Some("^[a-zé]*$"),
    };

    #[test]
    fn values_are_checked_against_the_schema() {
        for good in ["1", "2.5", "2", "null", r#""éé""#, r#""\u00e9ab""#, "[1,2]", r#"{"a":1,"b":2}"#, "true"] {
            assert_eq!(check_json(&RULES, false, good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("0", "at least 1"),
            ("-3.5", "at least 1"),
            ("2.51", "at most 2.5"),
            ("99999999999999999999999", "at most 2.5"),
            (r#""a""#, "at least 2 characters"),
            (r#""abcd""#, "at most 3 characters"),
            (r#""AB""#, "pattern"),
            ("[1]", "at least 2 items"),
            (r#"{"a":1,"b":2,"c":3,"d":4}"#, "at most 3 members"),
        ] {
            let problem = check_json(&RULES, false, bad).unwrap_err();
            assert!(problem.contains(why), "{bad}: {problem}");
        }
    }

    #[test]
    fn the_tighter_bound_is_published() {
        let mut property = serde_json::json!({"type": "integer", "minimum": 0, "maximum": 255});
        let rules =
            Constraints { min: Some(Number::Integer(-5)), max: Some(Number::Integer(10)), ..Constraints::EMPTY };
        publish_constraints(&rules, property.as_object_mut().unwrap());
        assert_eq!(property, serde_json::json!({"type": "integer", "minimum": 0, "maximum": 10}));
    }
}
