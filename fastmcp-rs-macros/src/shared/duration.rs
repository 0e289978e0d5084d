//! The grammar of durations, as in `500ms`, `30s`, `2m`, `1h` or `1m30s`.

use std::time::Duration;

/// Parses a duration, which is a sum of whole numbers with units.
///
/// # Errors
///
/// Fails with a message that states the problem, without the fix.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("a duration cannot be empty".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = unit.trim();
        if number.is_empty() {
            return Err(format!("`{text}` is not a duration"));
        }
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "" => return Err(format!("`{text}` has no unit")),
            _ => return Err(format!("`{unit}` is not a unit of time here")),
        };
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(millis));
        let sum = part.and_then(|part| total.checked_add(Duration::from_millis(part)));
        total = sum.ok_or_else(|| format!("`{text}` is longer than a duration can be"))?;
        rest = after;
    }
    Ok(total)
}
