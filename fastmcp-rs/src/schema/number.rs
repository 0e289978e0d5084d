//! A number of a schema or of an argument, compared without loss.

use serde_json::Value;

/// A bound as written in the attribute.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    fn as_f64(self) -> f64 {
        match self {
            Number::Integer(number) => number as f64,
            Number::Float(number) => number,
        }
    }

    /// Returns the bound as a schema has it. A number beyond 64 bits loses digits.
    pub fn to_json(self) -> Value {
        match self {
            Number::Integer(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => number.into(),
                (_, Ok(number)) => number.into(),
                _ => (number as f64).into(),
            },
            Number::Float(number) => number.into(),
        }
    }

    pub(crate) fn cmp_to(self, other: Number) -> std::cmp::Ordering {
        match (self, other) {
            (Number::Integer(one), Number::Integer(other)) => one.cmp(&other),
            // JSON has no NaN, and -0.0 equals 0.
            _ => self.as_f64().partial_cmp(&other.as_f64()).unwrap_or(std::cmp::Ordering::Equal),
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Integer(number) => number.fmt(formatter),
            Number::Float(number) => number.fmt(formatter),
        }
    }
}

pub(crate) fn parse_number(value: &Value) -> Option<Number> {
    let number = value.as_number()?;
    number.as_i128().map(Number::Integer).or_else(|| number.as_f64().map(Number::Float))
}
