//! Finds the block that a function is written in.
//!
//! An attribute sees only its own item, and rustc rejects the generated items inside of an `impl` block one by one. So
//! the source file is read up to the function. This only makes errors clearer: without the file, as in editors and with
//! Rust before 1.88, the function counts as a free one.

use std::fs;

use proc_macro2::Span;

/// The block around a function, if it is one that cannot hold the items of a component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Surroundings {
    /// An `impl` block of a type's own methods.
    Impl,
    /// A trait, or the implementation of one.
    Trait,
}

impl Surroundings {
    /// Reads the file of a function, whose `fn` has this span. A function at the start of a line is a free one.
    pub(crate) fn of(keyword: Span) -> Option<Self> {
        let start = keyword.start();
        if start.column == 0 {
            return None;
        }
        let source = fs::read_to_string(keyword.local_file()?).ok()?;
        Self::find(&source, start.line, start.column)
    }

    fn find(source: &str, line: usize, column: usize) -> Option<Self> {
        let mut lines = source.split_inclusive('\n');
        let mut before: String = lines.by_ref().take(line.checked_sub(1)?).collect();
        before.extend(lines.next()?.chars().take(column));
        Self::from_header(&innermost_header(&before)?)
    }

    /// Sorts the text in front of the brace of a block, which has no comments and no strings.
    fn from_header(header: &str) -> Option<Self> {
        let header = strip_attributes(header);
        let words: Vec<&str> = header
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .filter(|word| !word.is_empty())
            .collect();
        const QUALIFIERS: &[&str] = &["pub", "crate", "super", "self", "in", "unsafe", "default", "auto", "const"];
        let keyword = words.iter().find(|word| !QUALIFIERS.contains(word))?;
        let is_of_trait = header.replace("for<", "").split_whitespace().any(|word| word == "for");
        match *keyword {
            "impl" if is_of_trait => Some(Self::Trait),
            "impl" => Some(Self::Impl),
            "trait" => Some(Self::Trait),
            _ => None,
        }
    }
}

/// Returns the text between the previous item and the innermost brace that is still open at the end of the source.
fn innermost_header(source: &str) -> Option<String> {
    let letters: Vec<char> = source.chars().collect();
    let mut open = Vec::new();
    let mut header = String::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let next = letters.get(at + 1).copied();
        at = match (letter, next) {
            ('/', Some('/')) => skip_until(&letters, at, |rest| rest[0] == '\n'),
            ('/', Some('*')) => skip_block_comment(&letters, at),
            ('"', _) => skip_string(&letters, at),
            ('\'', Some('\\')) => skip_until(&letters, at + 3, |rest| rest[0] == '\'') + 1,
            ('\'', Some(_)) if letters.get(at + 2) == Some(&'\'') => at + 3,
            _ => {
                match letter {
                    '{' => open.push(std::mem::take(&mut header)),
                    '}' => {
                        open.pop();
                        header.clear();
                    }
                    ';' if is_balanced(&header) => header.clear(),
                    _ => header.push(letter),
                }
                at + 1
            }
        };
    }
    open.pop()
}

/// Returns whether the text closes its parentheses and brackets, which is not the case inside of `[u8; 2]`.
fn is_balanced(text: &str) -> bool {
    text.matches(['(', '[']).count() == text.matches([')', ']']).count()
}

/// Returns the first place from `at` on where `is_end` holds for the rest, or the end.
fn skip_until(letters: &[char], at: usize, is_end: impl Fn(&[char]) -> bool) -> usize {
    (at..letters.len()).find(|place| is_end(&letters[*place..])).unwrap_or(letters.len())
}

/// Returns the place after a block comment. They nest.
fn skip_block_comment(letters: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < letters.len() {
        match (letters[at], letters.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the place after a string whose first quote is at `start`. A raw string has an `r` and any number of `#` in
/// front of it.
fn skip_string(letters: &[char], start: usize) -> usize {
    let hashes = letters[..start].iter().rev().take_while(|letter| **letter == '#').count();
    if letters[..start - hashes].last() == Some(&'r') {
        let is_end = |rest: &[char]| {
            rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|letter| *letter == '#')
        };
        return skip_until(letters, start + 1, is_end) + 1 + hashes;
    }
    let mut at = start + 1;
    while at < letters.len() && letters[at] != '"' {
        at += if letters[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Removes `#[..]` and `#![..]`.
fn strip_attributes(header: &str) -> String {
    let mut text = String::new();
    let mut depth = 0;
    let mut letters = header.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '#' if depth == 0 && matches!(letters.peek(), Some('[' | '!')) => {
                letters.next_if_eq(&'!');
                letters.next_if_eq(&'[');
                depth = 1;
            }
            '[' if depth > 0 => depth += 1,
            ']' if depth > 0 => depth -= 1,
            _ if depth == 0 => text.push(letter),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the surroundings of the function `here`.
    fn around(source: &str) -> Option<Surroundings> {
        let place = source.find("fn here").expect("the source has the function");
        let line = source[..place].matches('\n').count() + 1;
        let column = source[..place].chars().rev().take_while(|letter| *letter != '\n').count();
        Surroundings::find(source, line, column)
    }

    #[test]
    fn a_function_in_an_impl_block_or_a_trait_is_recognised() {
        for (source, expected) in [
            ("impl Orders {\n    fn here() {}\n}", Some(Surroundings::Impl)),
            (
                "impl<'a, T: Fn() -> [u8; 2]> Orders<'a, T> where for<'b> T: X<'b> {\n  fn a() {}\n  async fn here() {}",
                Some(Surroundings::Impl),
            ),
            (
                "#[cfg(feature = \"x{\")]\nunsafe impl Store for Orders {\n    pub fn here() {}",
                Some(Surroundings::Trait),
            ),
            ("pub(crate) trait Store: Send {\n    fn here() {}", Some(Surroundings::Trait)),
            ("mod tools {\n    fn here() {}", None),
            ("fn main() {\n    fn here() {}", None),
            ("fn run(x: impl Fn()) {\n    fn here() {}", None),
            (
                "impl Orders { fn a() { /* } } */ \"}}\"; '}'; '\\''; r#\"}\"}\"#; } }\nmod tools {\n    fn here() {}",
                None,
            ),
            (
                "impl Orders { // }\n fn a<'x>(x: &'x str) { r\"\\\"; \"\\\"}\"; }\n    fn here() {}",
                Some(Surroundings::Impl),
            ),
            ("impl Orders {\n    fn a() {\n        fn here() {}", None),
            ("struct A; impl A {} mod b {\n fn here() {}", None),
        ] {
            assert_eq!(around(source), expected, "{source}");
        }
    }
}
