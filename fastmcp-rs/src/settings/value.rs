//! Parses the values of settings, and explains those that cannot be used.
//!
//! A value comes from an environment variable, which is always a text, or from TOML, which has types. A mistake quotes
//! the value, except for secrets, whose parser has messages of its own.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::duration::parse_duration;
use crate::checks::problem::Problem;
use crate::schema::suggest::find_nearest;
use crate::util::operator_log::is_hidden;

/// The maximum number of characters of a value that a message quotes.
const MAX_QUOTED: usize = 80;

/// A value as the operator has written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RawValue {
    /// The text of an environment variable, which is not empty.
    Variable(String),
    /// A string of TOML.
    Text(String),
    /// An integer of TOML. Its digits may be those of another base.
    Integer(Option<i64>),
    /// A boolean of TOML.
    Boolean(bool),
    /// An array of strings of TOML.
    List(Vec<String>),
    /// Another value of TOML, as its type.
    Other(&'static str),
}

/// A value that cannot be used: the problem, and the fix.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) text: Cow<'static, str>,
    pub(super) fix: Cow<'static, str>,
}

impl Mistake {
    pub(super) fn new(text: impl Into<Cow<'static, str>>, fix: impl Into<Cow<'static, str>>) -> Mistake {
        Mistake { text: text.into(), fix: fix.into() }
    }
}

impl From<Problem> for Mistake {
    fn from(problem: Problem) -> Mistake {
        Mistake::new(problem.text().to_owned(), problem.fix().to_owned())
    }
}

/// Displays a value in a message: on one line, cut to a readable length.
struct Quoted<'a>(&'a RawValue);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            RawValue::Variable(text) | RawValue::Text(text) => {
                let (cut, end) =
                    text.char_indices().nth(MAX_QUOTED).map_or((&**text, ""), |(at, _)| (&text[..at], "…"));
                // Quotes are shown as they are; characters that break the line or the terminal are not.
                let shown: String = cut
                    .chars()
                    .map(|letter| if is_special(letter) { letter.escape_unicode().to_string() } else { letter.into() })
                    .collect();
                write!(formatter, "`{shown}{end}`")
            }
            RawValue::Integer(Some(number)) => write!(formatter, "`{number}`"),
            RawValue::Integer(None) => formatter.write_str("the integer"),
            RawValue::Boolean(value) => write!(formatter, "`{value}`"),
            RawValue::List(_) => formatter.write_str("an array"),
            RawValue::Other(kind) => formatter.write_str(kind),
        }
    }
}

impl RawValue {
    fn is_not(&self, noun: &str, fix: impl Into<Cow<'static, str>>) -> Mistake {
        Mistake::new(format!("{} is not {noun}", Quoted(self)), fix)
    }

    /// Returns true for an empty string, which TOML can have and a set variable cannot.
    fn is_blank(&self) -> bool {
        matches!(self, RawValue::Text(text) if text.trim().is_empty())
    }

    pub(super) fn parse_switch(&self) -> Result<bool, Mistake> {
        match self {
            RawValue::Boolean(value) => Ok(*value),
            RawValue::Variable(text) if text == "true" || text == "1" => Ok(true),
            RawValue::Variable(text) if text == "false" || text == "0" => Ok(false),
            RawValue::Variable(_) => Err(self.is_not("a boolean", "write `true` or `false`")),
            _ => Err(self.is_not("a boolean", "write `true` or `false`, without quotes")),
        }
    }

    /// Parses a whole number of at least `least`.
    pub(super) fn parse_count(&self, least: usize) -> Result<usize, Mistake> {
        let number = match self {
            RawValue::Integer(number) => number.and_then(|number| usize::try_from(number).ok()),
            RawValue::Variable(text) => parse_digits(text),
            _ => return Err(self.is_not("an integer", "write a whole number, without quotes")),
        };
        match number {
            Some(number) if number >= least => Ok(number),
            _ => {
                Err(self.is_not("a number that this setting accepts", format!("write a whole number from {least} on")))
            }
        }
    }

    /// Parses a number of bytes within these limits.
    pub(super) fn parse_size(&self, least: usize, most: usize) -> Result<usize, Mistake> {
        const FORM: &str =
            "write bytes, as in `1048576`, or a whole number and a unit, as in `64 KiB`, `4 MiB` or `1 GiB`";
        let bytes = match self {
            RawValue::Integer(number) => number.and_then(|number| usize::try_from(number).ok()),
            RawValue::Variable(text) | RawValue::Text(text) => parse_bytes(text)?,
            _ => None,
        };
        match bytes {
            Some(bytes) if (least..=most).contains(&bytes) => Ok(bytes),
            Some(_) => {
                let range = match most {
                    usize::MAX => format!("write at least {least} bytes"),
                    most => format!("write {least} to {most} bytes"),
                };
                Err(Mistake::new(format!("{} is not within the limits of this setting", Quoted(self)), range))
            }
            None => Err(self.is_not("a size", FORM)),
        }
    }

    /// Parses a duration other than zero.
    pub(super) fn parse_duration(&self) -> Result<Duration, Mistake> {
        const FORM: &str = "write a whole number and a unit, as in `500ms`, `30s`, `2m`, `1h` or `1m30s`";
        let (RawValue::Variable(text) | RawValue::Text(text)) = self else {
            let fix = format!("{FORM}, in quotes");
            return Err(match self {
                RawValue::Integer(_) => Mistake::new(format!("{} has no unit", Quoted(self)), fix),
                _ => self.is_not("a duration", fix),
            });
        };
        match parse_duration(text) {
            Ok(Duration::ZERO) => Err(Mistake::new("a duration of zero has no use", FORM)),
            Ok(duration) => Ok(duration),
            // The message of the grammar quotes the text, which may be long.
            Err(problem) if text.len() <= MAX_QUOTED && !text.contains(is_special) => Err(Mistake::new(problem, FORM)),
            Err(_) => Err(self.is_not("a duration", FORM)),
        }
    }

    /// Parses a text that `check` accepts.
    pub(super) fn parse_text(&self, check: fn(&str) -> Result<(), Problem>) -> Result<String, Mistake> {
        match self {
            RawValue::Variable(text) | RawValue::Text(text) if text.contains(is_special) => {
                Err(self.is_not("a plain text", "remove its control characters"))
            }
            RawValue::Variable(text) | RawValue::Text(text) if !self.is_blank() => {
                check(text)?;
                Ok(text.clone())
            }
            RawValue::Text(_) => Err(Mistake::new("the text is empty", "write a value, or remove the line")),
            _ => Err(self.is_not("a text", "write it in quotes")),
        }
    }

    /// Parses the path of a file. No message shows the value, which may be the contents of a file with a secret.
    pub(super) fn parse_path(&self) -> Result<String, Mistake> {
        let (RawValue::Variable(text) | RawValue::Text(text)) = self else {
            return Err(self.is_not("a text", "write it in quotes"));
        };
        if text.contains(is_special) || text.contains("-----BEGIN") {
            return Err(Mistake::new("the value is not a path", "write the path of a file, and not its contents"));
        }
        self.parse_text(|_| Ok(()))
    }

    /// Parses one of several names.
    pub(super) fn parse_choice(&self, names: &'static [&'static str]) -> Result<&'static str, Mistake> {
        let fix = || format!("write {}", list_choices(names));
        let text = match self {
            RawValue::Variable(text) | RawValue::Text(text) => text,
            _ => return Err(self.is_not("a text", format!("{}, in quotes", fix()))),
        };
        if let Some(name) = names.iter().find(|name| *name == text) {
            return Ok(name);
        }
        Err(match find_nearest(text, names.iter().copied()) {
            Some(name) => self.is_not("a value of this setting", format!("did you mean `{name}`? {}", fix())),
            None => self.is_not("a value of this setting", fix()),
        })
    }

    /// Splits a list: at commas in a variable, and as an array in TOML.
    pub(super) fn split_list(&self) -> Result<Vec<String>, Mistake> {
        let entries: Vec<String> = match self {
            RawValue::Variable(text) => text.split(',').map(|entry| entry.trim().to_owned()).collect(),
            RawValue::List(entries) => entries.iter().map(|entry| entry.trim().to_owned()).collect(),
            _ => {
                let text = "the value is not an array of strings";
                return Err(Mistake::new(text, "write an array of strings, as in `[\"first\", \"second\"]`"));
            }
        };
        if entries.iter().any(String::is_empty) {
            return Err(Mistake::new("an entry of the list is empty", "remove it, with its comma"));
        }
        Ok(entries)
    }

    /// Parses a list whose entries `check` accepts.
    pub(super) fn parse_list(&self, check: fn(&str) -> Result<(), Problem>) -> Result<Vec<String>, Mistake> {
        let entries = self.split_list()?;
        if entries.iter().any(|entry| entry.contains(is_special)) {
            return Err(Mistake::new("an entry of the list has control characters", "remove them"));
        }
        entries.iter().try_for_each(|entry| check(entry))?;
        Ok(entries)
    }

    /// Parses the mode of a file, in octal digits.
    pub(super) fn parse_mode(&self) -> Result<u32, Mistake> {
        let digits = match self {
            RawValue::Variable(text) | RawValue::Text(text) => text.strip_prefix("0o").unwrap_or(text),
            _ => "",
        };
        let is_octal = (3..=4).contains(&digits.len()) && digits.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
        match u32::from_str_radix(digits, 8) {
            Ok(mode) if is_octal && mode <= 0o777 => Ok(mode),
            _ => Err(self.is_not("a file mode", "write three octal digits as a text, as in `600` or `660`")),
        }
    }
}

/// Returns true for characters that would break the line or the terminal of a message.
fn is_special(letter: char) -> bool {
    letter.is_control() || is_hidden(letter)
}

/// Lists names for a message: `` `a`, `b` or `c` ``.
pub(super) fn list_choices(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Parses decimal digits. `parse` would accept a sign.
fn parse_digits(text: &str) -> Option<usize> {
    if text.bytes().all(|digit| digit.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Parses a number of bytes, or returns `None` if it is not a size or too large for one.
fn parse_bytes(text: &str) -> Result<Option<usize>, Mistake> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        unit @ ("K" | "k" | "kB" | "KB" | "kb" | "M" | "MB" | "mb" | "G" | "GB" | "gb") => {
            let letter = unit[..1].to_uppercase();
            let text = format!("`{unit}` means 1,000 or 1,024 bytes to different readers, or a power of them");
            return Err(Mistake::new(text, format!("write `{letter}iB`, which counts by 1,024, or bytes")));
        }
        _ => return Ok(None),
    };
    let number = parse_digits(number).filter(|_| !number.is_empty());
    Ok(number.and_then(|number| number.checked_mul(1usize.checked_shl(shift)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(text: &str) -> RawValue {
        RawValue::Variable(text.to_owned())
    }

    #[test]
    fn a_size_is_bytes_or_a_number_with_a_unit() {
        let size = |text| variable(text).parse_size(0, usize::MAX).ok();
        assert_eq!(size("1024"), Some(1024));
        assert_eq!(size("1 MiB"), Some(1 << 20));
        assert_eq!(size("64KiB"), Some(64 << 10));
        assert_eq!(size("2 GiB"), Some(2 << 30));
        assert_eq!(size("7B"), Some(7));
        for bad in
            ["", "MiB", "1.5 MiB", "-1", "+1", "1 MB", "1 mib", "1 MiB 2", "99999999999999999999", "9999999999 TiB"]
        {
            assert_eq!(size(bad), None, "{bad}");
        }
        let mistake = variable("4 MB").parse_size(0, usize::MAX).unwrap_err();
        assert_eq!(mistake.fix, "write `MiB`, which counts by 1,024, or bytes");
        assert_eq!(RawValue::Integer(Some(9)).parse_size(10, 20).unwrap_err().fix, "write 10 to 20 bytes");
    }

    #[test]
    fn a_variable_has_two_spellings_of_a_boolean_and_toml_has_one() {
        let of_variable = |text| variable(text).parse_switch().ok();
        assert_eq!([of_variable("true"), of_variable("1")], [Some(true); 2]);
        assert_eq!([of_variable("false"), of_variable("0")], [Some(false); 2]);
        for bad in ["yes", "on", "TRUE", "2", " true"] {
            assert_eq!(of_variable(bad), None, "{bad}");
        }
        assert!(RawValue::Boolean(true).parse_switch().unwrap());
        assert!(RawValue::Integer(Some(1)).parse_switch().is_err());
        assert!(RawValue::Text("true".into()).parse_switch().is_err());
    }

    #[test]
    fn a_list_has_no_empty_entries() {
        let list = |text| variable(text).parse_list(|_| Ok(())).ok();
        assert_eq!(list("a, b ,c"), Some(vec!["a".to_owned(), "b".into(), "c".into()]));
        for bad in [",", "a,", "a,,b", " , "] {
            assert_eq!(list(bad), None, "{bad}");
        }
        assert_eq!(RawValue::List(Vec::new()).parse_list(|_| Ok(())).ok(), Some(Vec::new()));
        assert!(RawValue::Text("a".into()).parse_list(|_| Ok(())).is_err());
    }

    #[test]
    fn a_mode_is_octal() {
        for (text, mode) in [("600", Some(0o600)), ("0660", Some(0o660)), ("0o666", Some(0o666)), ("1777", None)] {
            assert_eq!(variable(text).parse_mode().ok(), mode, "{text}");
        }
        for bad in ["rw", "", "6", "800", "+60", "00600", "77777777777777"] {
            assert!(variable(bad).parse_mode().is_err(), "{bad}");
        }
        assert!(RawValue::Integer(Some(600)).parse_mode().is_err());
    }

    #[test]
    fn a_quoted_value_stays_on_its_line() {
        let long = "x".repeat(10_000);
        let text = variable(&format!("\u{1b}[2J\n{long}")).parse_count(0).unwrap_err().text;
        assert!(text.len() < 400 && !text.contains(['\n', '\u{1b}']), "{text}");
        let text = variable(&format!("1\u{1b}s{long}")).parse_duration().unwrap_err().text;
        assert!(text.len() < 400 && !text.contains('\u{1b}'), "{text}");
    }
}
