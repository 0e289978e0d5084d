//! String formats: descriptions and shallow checks of their values.
//!
//! The argument types do the real check; this one only explains their errors. So it accepts every value that one of the
//! supported crates reads, such as a date without leading zeros, and all values of unknown formats.

/// The formats that JSON Schema 2020-12 registers. Other formats are not published, because some vendors reject them.
const REGISTERED: [&str; 19] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

/// The member of an input schema that holds an unpublished format.
pub(crate) const UNPUBLISHED: &str = "x-fastmcp-format";

pub(crate) fn is_registered(format: &str) -> bool {
    REGISTERED.contains(&format)
}

/// Describes the values of a format.
pub(crate) fn describe_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => "a date, such as \"2026-01-31\"",
        "date-time" => "a date and time with an offset, such as \"2026-01-31T12:30:00Z\"",
        "partial-date-time" => "a date and time without an offset, such as \"2026-01-31T12:30:00\"",
        "zoned-date-time" => "a date and time with a zone, such as \"2026-01-31T12:30:00+01:00[Europe/Berlin]\"",
        "time" | "partial-time" => "a time, such as \"12:30:00\"",
        "duration" => "a duration, such as \"PT1H30M\"",
        "uuid" => "a UUID, such as \"67e55044-10b1-426f-9247-bb680e5fe0c8\"",
        "uri" => "an absolute URL, such as \"https://example.com/\"",
        "decimal" => "a decimal number, such as \"12.50\"",
        "ip" => "an IP address, such as \"192.0.2.1\"",
        "ipv4" => "an IPv4 address, such as \"192.0.2.1\"",
        "ipv6" => "an IPv6 address, such as \"2001:db8::1\"",
        _ => return None,
    })
}

/// Returns true if a text may be a value of a format.
pub(crate) fn may_match(format: &str, text: &str) -> bool {
    match format {
        "date" => parse_date(text).is_some_and(|rest| rest.is_empty() || date_time_rest(rest).is_some()),
        "date-time" | "zoned-date-time" => {
            parse_date(text).and_then(date_time_rest).is_some_and(|rest| is_offset(rest.trim_start()))
        }
        "partial-date-time" => parse_date(text).and_then(date_time_rest) == Some(""),
        "time" => parse_time(text).is_some_and(|rest| rest.is_empty() || is_offset(rest)),
        "partial-time" => parse_time(text.trim_start_matches(['T', 't'])) == Some(""),
        "duration" => is_duration(text),
        "uuid" => is_uuid(text),
        "uri" => is_uri(text),
        "ip" => text.parse::<std::net::IpAddr>().is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        _ => true,
    }
}

/// Parses 1 to `most` digits. Returns the number and the rest.
fn parse_digits(text: &str, most: usize) -> Option<(u32, &str)> {
    let end = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Parses an existing date. Returns the rest.
fn parse_date(text: &str) -> Option<&str> {
    let (year, rest) = parse_digits(text.strip_prefix(['+', '-']).unwrap_or(text), 6)?;
    // The separators are either all present or all absent.
    let (year, month, day, rest) = match rest.strip_prefix('-') {
        Some(rest) => {
            let (month, rest) = parse_digits(rest, 2)?;
            let (day, rest) = parse_digits(rest.strip_prefix('-')?, 2)?;
            (year, month, day, rest)
        }
        None => {
            let (whole, rest) = parse_digits(text, 8).filter(|(_, rest)| text.len() - rest.len() == 8)?;
            (whole / 10_000, whole / 100 % 100, whole % 100, rest)
        }
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(rest)
}

/// Parses the separator and the time after a date. Returns the rest.
fn date_time_rest(text: &str) -> Option<&str> {
    parse_time(text.strip_prefix(['T', 't', ' '])?)
}

/// Parses a time. Returns the rest.
fn parse_time(text: &str) -> Option<&str> {
    let (hour, rest) = parse_digits(text, 2)?;
    let next =
        |rest: &'_ str| rest.strip_prefix(':').and_then(|rest| parse_digits(rest, 2)).map(|(n, rest)| (n, rest.len()));
    let (minute, rest) = next(rest).map_or((0, rest), |(minute, left)| (minute, &rest[rest.len() - left..]));
    let (second, rest) = next(rest).map_or((0, rest), |(second, left)| (second, &rest[rest.len() - left..]));
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    (hour < 24 && minute < 60 && second <= 60).then_some(rest)
}

fn is_offset(text: &str) -> bool {
    let text = text.split('[').next().unwrap_or_default();
    if matches!(text, "Z" | "z" | "UTC") {
        return true;
    }
    let Some(rest) = text.strip_prefix(['+', '-', '\u{2212}']) else { return false };
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}

/// Accepts ISO 8601, and the words that jiff reads.
fn is_duration(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || " .,:+-µ".contains(c);
    text.contains(|c: char| c.is_ascii_digit()) && text.contains(char::is_alphabetic) && text.chars().all(is_part)
}

fn is_uuid(text: &str) -> bool {
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    (groups == [8, 4, 4, 4, 12] || groups == [32]) && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.trim().split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    let needs_host = ["http", "https", "ws", "wss", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let host = rest.trim_start_matches(['/', '\\']);
    is_scheme && (!needs_host || host.starts_with(|c: char| c.is_alphanumeric() || "[%_-".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_recognized_by_format() {
        for (format, good, bad) in [
            (
                "date",
                &["2026-01-31", "2024-02-29", "2026-1-5", "20260131"] as &[_],
                &["2026-02-30", "x", "2026", ""] as &[_],
            ),
            (
                "date-time",
                &["2026-01-31T12:30:00Z", "2026-01-31 12:30:00.5+01:00", "2026-01-31t12:30z"],
                &["2026-01-31", "2026-01-31T12:30:00", "2026-13-01T00:00:00Z", "2026-01-31T25:00:00Z"],
            ),
            ("partial-date-time", &["2026-01-31T12:30:00", "2026-01-31T12:30"], &["2026-01-31T12:30:00Z", "12:30"]),
            ("partial-time", &["12:30:00", "12:30", "23:59:60.25"], &["24:00:00", "noon", "12:61"]),
            ("duration", &["PT1H30M", "P1D", "1h 30m"], &["90", "soon", ""]),
            (
                "uuid",
                &["67e55044-10b1-426f-9247-bb680e5fe0c8", "67E5504410B1426F9247BB680E5FE0C8"],
                &["67e55044", "67e55044-10b1-426f-9247-bb680e5fe0cg", ""],
            ),
            ("uri", &["https://example.com/a", "mailto:a@b.c", "file:///x"], &["example.com", "https://", "/a", ""]),
            ("ip", &["::1", "10.0.0.1"], &["10.0.0", "x"]),
            ("unknown", &["anything"], &[]),
        ] {
            for text in good {
                assert!(may_match(format, text), "{format}: {text}");
            }
            for text in bad {
                assert!(!may_match(format, text), "{format}: {text}");
            }
        }
    }
}
