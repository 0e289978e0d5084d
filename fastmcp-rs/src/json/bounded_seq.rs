//! Reads a JSON array as the texts of its elements, and keeps no more of them than a limit.
//!
//! A peer chooses the length of an array, and each element of a `Vec` takes more memory than the two bytes `0,` that
//! the peer has sent for it.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The first elements of an array.
#[derive(Debug)]
pub(crate) struct BoundedSeq<'a> {
    pub(crate) elements: Vec<&'a RawValue>,
    /// True if the array has more elements, which are only checked to be JSON.
    pub(crate) has_more: bool,
}

impl<'a> BoundedSeq<'a> {
    /// Reads an array that is the whole text, and keeps at most `max` elements.
    pub(crate) fn read(text: &'a str, max: usize) -> serde_json::Result<BoundedSeq<'a>> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let seq = deserializer.deserialize_seq(BoundedSeqVisitor { max })?;
        deserializer.end()?;
        Ok(seq)
    }
}

struct BoundedSeqVisitor {
    max: usize,
}

impl<'de> Visitor<'de> for BoundedSeqVisitor {
    type Value = BoundedSeq<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BoundedSeq<'de>, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.max {
            let Some(element) = seq.next_element()? else { return Ok(BoundedSeq { elements, has_more: false }) };
            elements.push(element);
        }
        let mut has_more = false;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            has_more = true;
        }
        Ok(BoundedSeq { elements, has_more })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::oracles;

    #[test]
    fn no_more_elements_are_kept_than_the_limit() {
        let seq = BoundedSeq::read("[1, \"2\" ,[3]]", 2).unwrap();
        assert_eq!(seq.elements.iter().map(|element| element.get()).collect::<Vec<_>>(), ["1", "\"2\""]);
        assert!(seq.has_more);
        assert!(!BoundedSeq::read("[1,2]", 2).unwrap().has_more);
        for wrong in ["{}", "[1,2", "[1,2,]", "[1,2,3}", "[1] 2", "1", ""] {
            assert!(BoundedSeq::read(wrong, 2).is_err(), "{wrong}");
        }
        oracles::vary(&["[]", "[1,\"a\\\"b\",[2,{\"c\":null}],true,[[]]]"], 5_000, oracles::check_bounded_seq);
    }
}
