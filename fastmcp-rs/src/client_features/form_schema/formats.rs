//! Checks of the string formats that a form may use.

/// The string formats that a form may use.
pub(super) const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// Returns true if the text has the format, by a shallow check; a type with stricter rules checks it again.
pub(super) fn has_format(format: &str, text: &str) -> bool {
    match format {
        "email" => text
            .rsplit_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)),
        "uri" => is_uri(text),
        "date" => is_date(text),
        "date-time" => text.split_at_checked(10).is_some_and(|(date, time)| {
            let mut digits = time.chars();
            is_date(date)
                && digits.next().is_some_and(|letter| matches!(letter, 'T' | 't' | ' '))
                && fits(time.get(1..).unwrap_or_default(), "00:00")
        }),
        _ => true,
    }
}

/// Returns true if the text is an absolute URI, by a shallow check.
pub(crate) fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        let mut letters = scheme.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
            && !rest.is_empty()
            && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    })
}

fn is_date(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u8>().ok());
    text.len() == 10
        && fits(text, "0000-00-00")
        && number(5..7).is_some_and(|month| (1..=12).contains(&month))
        && number(8..10).is_some_and(|day| (1..=31).contains(&day))
}

/// Returns true if the text begins like the pattern, in which 0 stands for any digit.
fn fits(text: &str, pattern: &str) -> bool {
    text.len() >= pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, pattern)| match pattern {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}
