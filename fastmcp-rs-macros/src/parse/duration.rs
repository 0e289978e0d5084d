//! Reads durations, as in `timeout = "30s"`.

use std::time::Duration;

use super::entry::Entry;
use super::value;
use crate::errors::Errors;
use crate::shared::duration;

/// Reads the duration that an option has as a string.
pub(super) fn parse_duration_option(
    entry: &Entry,
    example: &str,
    parse: fn(&str) -> Result<Duration, String>,
    errors: &mut Errors,
) -> Option<Duration> {
    let literal = value::parse_string(entry, example, errors)?;
    match parse(&literal.value()) {
        Ok(duration) => Some(duration),
        Err(problem) => {
            errors.at(&literal, problem);
            None
        }
    }
}

/// Parses a timeout, which is a duration other than zero.
///
/// # Errors
///
/// Fails like [`parse_duration`], and if the duration is zero.
pub(super) fn parse_timeout(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err(
            "a timeout of zero would end every call: write a longer one, or remove `timeout` to use that of the app"
                .to_owned(),
        ),
        some => Ok(some),
    }
}

/// Parses a duration, as in `500ms`, `30s`, `2m`, `1h` or `1m30s`.
///
/// # Errors
///
/// Fails with a message that states the broken rule and the fix.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    duration::parse_duration(text).map_err(|problem| {
        format!(
            "{problem}: write a whole number and a unit, as in `\"500ms\"`, `\"30s\"`, `\"2m\"`, `\"1h\"` or `\"1m30s\"`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_sum_of_numbers_with_units() {
        let millis = |text| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("30s"), Ok(30_000));
        assert_eq!(millis("2m"), Ok(120_000));
        assert_eq!(millis("1h"), Ok(3_600_000));
        assert_eq!(millis("1m30s"), Ok(90_000));
        assert_eq!(millis(" 1 m 30 s "), Ok(90_000));
        for bad in ["", "30", "s", "30sec", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615h"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        assert_eq!(millis("0s"), Ok(0));
        assert!(parse_timeout("0s").is_err() && parse_timeout("1s").is_ok());
    }
}
