//! Counts with their nouns in the right number, for texts that people and models read.

use std::fmt::Display;

/// Returns the count with its noun: "1 tool", "2 tools". The plural of the noun ends with an `s`.
pub(crate) fn counted(count: impl Display, noun: &str) -> String {
    with_noun(count.to_string(), noun)
}

#[inline(never)]
fn with_noun(mut count: String, noun: &str) -> String {
    let is_one = count == "1";
    count.push(' ');
    count.push_str(noun);
    if !is_one {
        count.push('s');
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_singular_and_any_other_number_plural() {
        let texts = [0, 1, 2].map(|count| counted(count, "log line"));
        assert_eq!(texts, ["0 log lines", "1 log line", "2 log lines"]);
        assert_eq!([0.5, 1.0, 11.0].map(|count| counted(count, "second")), ["0.5 seconds", "1 second", "11 seconds"]);
        assert_eq!(counted(serde_json::json!(1), "item"), "1 item");
    }
}
