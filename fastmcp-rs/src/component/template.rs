//! URI templates of RFC 6570, used in reverse: from a URI to the values of the variables.
//!
//! The grammar is in `fastmcp-rs-macros/src/shared/uri_template.rs`; this file matches. Matching never backtracks in
//! the URI: a variable ends at the first occurrence of the literal after it, or, for the last literal, at its last
//! occurrence. So matching takes time linear in the length of the URI, whatever its content.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources#resource-templates>

use serde_json::{Map, Value};

use super::uri_template::{self, Part, Variable};
use crate::checks::problem::ProblemList;

/// The maximum length, in bytes, of a URI that is matched.
const MAX_URI: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<TemplatePart>,
    /// The names of optional query parameters.
    query: Vec<Box<str>>,
    /// Query parameters that are part of the template's literal text, and must occur unchanged.
    fixed_query: Vec<(Box<str>, Box<str>)>,
}

#[derive(Debug, PartialEq)]
enum TemplatePart {
    Literal(Box<str>),
    Variable {
        name: Box<str>,
        /// The character before the value, if the value is present: `/`, `.` or `#`.
        prefix: Option<char>,
        /// True if the value may contain slashes.
        whole: bool,
    },
}

impl Template {
    /// Returns true if a text is a template rather than a URI.
    pub(crate) fn is_template(text: &str) -> bool {
        text.contains('{')
    }

    /// Parses a template. Parts with a mistake are left out; [`Template::check`] reports them.
    pub(crate) fn parse(text: &str) -> Template {
        let mut parts = Vec::new();
        let mut query = Vec::new();
        let mut fixed_query = Vec::new();
        for part in uri_template::parse(text).parts {
            match part {
                Part::Literal(literal) => parts.push(TemplatePart::Literal(literal.into())),
                Part::Variable(variable) if is_in_query(&variable) => query.push(variable.name.into()),
                Part::Variable(variable) => parts.push(TemplatePart::Variable {
                    name: variable.name.into(),
                    prefix: variable.operator.filter(|_| variable.is_optional()),
                    whole: variable.has_star || matches!(variable.operator, Some('+' | '#')),
                }),
            }
        }
        // The query that `{&name}` continues is literal text at the end of the last literal.
        if let Some(TemplatePart::Literal(last)) = parts.last_mut().filter(|_| !query.is_empty()) {
            if let Some((path, written)) = last.split_once('?') {
                let pairs = written.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                fixed_query.extend(pairs.map(|(name, value)| (name.into(), value.into())));
                *last = path.into();
            }
        }
        Template { parts, query, fixed_query }
    }

    /// Returns the template without those names of variables that do not occur in a URI: two templates of one shape
    /// match the same URIs.
    pub(crate) fn shape(text: &str) -> String {
        let mut shape = String::with_capacity(text.len());
        for part in uri_template::parse(text).parts {
            match part {
                Part::Literal(literal) => shape.push_str(literal),
                Part::Variable(variable) => {
                    shape.push('{');
                    shape.extend(variable.operator);
                    shape.push_str(if is_in_query(&variable) { variable.name } else { "" });
                    shape.push_str(if variable.has_star { "*}" } else { "}" });
                }
            }
        }
        shape
    }

    /// Checks the URI or template of a resource that is created at run time.
    pub(crate) fn check(text: &str, problems: &mut ProblemList) {
        uri_template::parse(text).problems.into_iter().for_each(|(text, fix)| problems.add(text, fix));
    }

    /// Returns the names of all variables, in the order of the template.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        let of_path = self.parts.iter().filter_map(|part| match part {
            TemplatePart::Variable { name, .. } => Some(&**name),
            TemplatePart::Literal(_) => None,
        });
        of_path.chain(self.query.iter().map(|name| &**name))
    }

    /// Returns the names of the variables that a URI may leave out.
    pub(crate) fn optional_variables(&self) -> impl Iterator<Item = &str> {
        let of_path = self.parts.iter().filter_map(|part| match part {
            TemplatePart::Variable { name, prefix: Some(_), .. } => Some(&**name),
            _ => None,
        });
        of_path.chain(self.query.iter().map(|name| &**name))
    }

    /// Returns the sort key by which the most specific template comes first: more literal bytes, then fewer variables
    /// that match anything, then fewer optional variables.
    pub(crate) fn openness(&self) -> impl Ord + use<> {
        let of_part = |part: &TemplatePart| if let TemplatePart::Literal(literal) = part { literal.len() } else { 0 };
        let of_query = |(name, value): &(Box<str>, Box<str>)| name.len() + value.len() + 2;
        let fixed: usize = self.parts.iter().map(of_part).chain(self.fixed_query.iter().map(of_query)).sum();
        let whole = self.parts.iter().filter(|part| matches!(part, TemplatePart::Variable { whole: true, .. })).count();
        (std::cmp::Reverse(fixed), whole, self.optional_variables().count())
    }

    /// Returns the decoded values of the variables in a URI, or `None` if the URI does not match the template. An
    /// optional variable that is not in the URI has no value.
    pub(crate) fn matches(&self, uri: &str) -> Option<Map<String, Value>> {
        if uri.len() > MAX_URI {
            return None;
        }
        let mut values = Map::new();
        let mut rest = uri;
        if !self.query.is_empty() {
            let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
            rest = path;
            let mut missing: Vec<_> = self.fixed_query.iter().map(|(name, value)| (&**name, &**value)).collect();
            for pair in query.split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                if let Some(at) = missing.iter().position(|fixed| *fixed == (name, value)) {
                    missing.swap_remove(at);
                    continue;
                }
                let name = &**self.query.iter().find(|known| ***known == *name)?;
                let value = decode(&value.replace('+', " "))?;
                if values.insert(name.into(), value.into()).is_some() {
                    return None;
                }
            }
            if !missing.is_empty() {
                return None;
            }
        }
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                TemplatePart::Literal(literal) => rest = rest.strip_prefix(&**literal)?,
                TemplatePart::Variable { name, prefix, whole } => {
                    if let Some(prefix) = prefix {
                        match rest.strip_prefix(*prefix) {
                            Some(after) => rest = after,
                            // The expression is absent, which is allowed only for expressions with a prefix.
                            None => continue,
                        }
                    }
                    let end = self.end_of_value(at, rest, *whole)?;
                    if end == 0 {
                        return None;
                    }
                    values.insert(name.as_ref().into(), decode(&rest[..end])?.into());
                    rest = &rest[end..];
                }
            }
        }
        rest.is_empty().then_some(values)
    }

    /// Returns the length of the value at this position.
    fn end_of_value(&self, at: usize, rest: &str, whole: bool) -> Option<usize> {
        let limit = if whole { rest.len() } else { rest.find(['/', '?', '#']).unwrap_or(rest.len()) };
        match self.parts.get(at + 1) {
            None => Some(limit),
            Some(TemplatePart::Literal(literal)) => {
                let last = at + 2 == self.parts.len();
                if last {
                    let start = rest.len().checked_sub(literal.len())?;
                    return (rest.ends_with(&**literal) && start <= limit).then_some(start);
                }
                rest.find(&**literal).filter(|end| *end <= limit)
            }
            Some(TemplatePart::Variable { prefix: Some(prefix), .. }) => {
                Some(rest[..limit].find(*prefix).unwrap_or(limit))
            }
            // Of two adjacent variables, the first takes everything.
            Some(TemplatePart::Variable { prefix: None, .. }) => Some(limit),
        }
    }
}

/// Returns true for a variable of the query, which is found by its name.
fn is_in_query(variable: &Variable<'_>) -> bool {
    matches!(variable.operator, Some('?' | '&'))
}

/// Undoes percent-encoding; returns `None` if it is invalid or the decoded bytes are not UTF-8.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let [high, low, after @ ..] = after else { return None };
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit(*high)? << 4 | digit(*low)?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Returns true if a value could lead outside of the directory that a handler expects: `..` as a segment, an absolute
/// path, a drive, or NUL.
///
/// A value may be read as JSON, so the strings inside of it are checked too.
pub(crate) fn is_traversal(value: &str) -> bool {
    let may_be_json = value.trim_start().starts_with(['[', '{', '"']);
    let inside = if may_be_json { serde_json::from_str::<Value>(value).ok() } else { None };
    is_path_outside(value) || inside.is_some_and(|inside| has_path_outside(&inside))
}

fn has_path_outside(value: &Value) -> bool {
    match value {
        Value::String(text) => is_path_outside(text),
        Value::Array(items) => items.iter().any(has_path_outside),
        Value::Object(members) => members.iter().any(|(key, value)| is_path_outside(key) || has_path_outside(value)),
        _ => false,
    }
}

fn is_path_outside(value: &str) -> bool {
    let is_separator = |character| matches!(character, '/' | '\\');
    // On other systems, `r:main` is an ordinary name.
    let after_colon =
        value.strip_prefix(|first: char| first.is_ascii_alphabetic()).and_then(|rest| rest.strip_prefix(':'));
    let drive = after_colon.is_some_and(|rest| cfg!(windows) || rest.starts_with(is_separator));
    value.contains('\0')
        || value.starts_with(is_separator)
        || drive
        || value.split(is_separator).any(|part| part.trim_end() == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, uri: &str, expected: Option<&[(&str, &str)]>) {
        let template = Template::parse(template);
        let found = template.matches(uri);
        let expected =
            expected.map(|pairs| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect());
        assert_eq!(found, expected, "{template:?} on {uri}");
    }

    #[test]
    fn variables_are_extracted_from_uris() {
        check("orders://{id}", "orders://ORD-101", Some(&[("id", "ORD-101")]));
        check("orders://{id}", "orders://a%2Fb%20c", Some(&[("id", "a/b c")]));
        check("orders://{id}", "orders://a/b", None);
        check("orders://{id}", "orders://", None);
        check("orders://{id}", "orders://%zz", None);
        check("a://{x}/items/{y}", "a://1/items/2", Some(&[("x", "1"), ("y", "2")]));
        check("a://{name}.json", "a://x.json.json", Some(&[("name", "x.json")]));
        check("a://{x}-{y}", "a://1-2-3", Some(&[("x", "1"), ("y", "2-3")]));
        check("a://{x,y}", "a://1,2", Some(&[("x", "1"), ("y", "2")]));
        check("f://{+path}", "f://a/b/c", Some(&[("path", "a/b/c")]));
        check("f://{path*}", "f://a/b/c", Some(&[("path", "a/b/c")]));
        check("f://{path*}/raw", "f://a/raw/raw", Some(&[("path", "a/raw")]));
        check("f://dir{/file}", "f://dir/a", Some(&[("file", "a")]));
        check("f://dir{/file}", "f://dir", Some(&[]));
        check("f://dir{/a,b}", "f://dir/1/2", Some(&[("a", "1"), ("b", "2")]));
        check("f://x{.kind}", "f://x.txt", Some(&[("kind", "txt")]));
        check("f://x{#part}", "f://x#a/b", Some(&[("part", "a/b")]));
        check("d://{t}/rows{?limit,offset}", "d://o/rows?offset=2", Some(&[("t", "o"), ("offset", "2")]));
        check("d://{t}/rows{?limit,offset}", "d://o/rows", Some(&[("t", "o")]));
        check("d://{t}/rows{?limit}", "d://o/rows?limit=a+b%26", Some(&[("t", "o"), ("limit", "a b&")]));
        check("d://{t}{?limit}", "d://o?limit=1&limit=2", None);
        check("d://{t}{?limit}", "d://o?other=1", None);
        check("s://x?fixed=1{&page}", "s://x?fixed=1&page=2", Some(&[("page", "2")]));
        check("s://x?fixed=1{&page}", "s://x?fixed=1", Some(&[]));
        check("s://x?fixed=1{&page}", "s://x?page=2", None);
    }

    #[test]
    fn templates_that_differ_in_names_have_the_same_shape() {
        let same = |one: &str, other: &str| Template::shape(one) == Template::shape(other);
        assert!(same("a://{x}/b{/y}", "a://{name}/b{/z_1}"));
        assert!(same("a://{x,y}", "a://{y,x}"));
        assert!(!same("a://{x}", "a://{+x}"));
        assert!(!same("a://{x}", "a://{x*}"));
        assert!(!same("a://x{?limit}", "a://x{?page}"), "a query shows its names");
        assert!(!same("a://x", "a://y"));
    }

    fn problems(text: &str) -> Vec<String> {
        let mut problems = ProblemList::new("resource");
        Template::check(text, &mut problems);
        problems.texts()
    }

    #[test]
    fn a_dynamic_template_is_checked() {
        for good in ["a://b", "a://{x}", "a+b:{x*}", "a://{+x}/y", "a://x{/y}{?z,w}", "a://x?b=1{&c}", "a://{x,y}"] {
            assert!(problems(good).is_empty(), "{good}: {:?}", problems(good));
        }
        for (bad, part) in [
            ("", "cannot be empty"),
            ("x/{y}", "scheme"),
            ("{x}://y", "scheme"),
            ("A://y", "must be in lower case"),
            ("a://x y", "cannot contain ' '"),
            ("a://{x", "is not closed"),
            ("a://x}", "closes nothing"),
            ("a://{x{y}}", "is not closed"),
            ("a://{}", "has no variable"),
            ("a://{;x}", "path-style parameter"),
            ("a://{x:3}", "truncate the value"),
            ("a://{+x*}", "cannot be combined"),
            ("a://{x-y}", "cannot be the name"),
            ("a://{x}{y}", "ambiguous"),
            ("a://{x}/{x}", "twice"),
            ("a://x{?y}/z", "at the end"),
            ("a://x%2", "two hexadecimal digits"),
            ("a://x{?y}{?z}", "the query begins"),
        ] {
            let problems = problems(bad);
            assert!(problems.iter().any(|problem| problem.contains(part)), "{bad}: {problems:?}");
        }
    }

    #[test]
    fn the_more_specific_template_comes_first() {
        let is_before = |one: &str, other: &str| {
            assert!(Template::parse(one).openness() < Template::parse(other).openness(), "{one} before {other}");
        };
        is_before("files://{name}", "files://{+path}");
        is_before("files://{name}/cells", "files://{+path}");
        is_before("files://{name}", "files://{name}{?page}");
        is_before("files://{name}?kind=a{&page}", "files://{name}{?kind,page}");
    }

    #[test]
    fn hostile_uris_are_matched_quickly() {
        let template = Template::parse("a://{+x}/b{+y}/c{+z}/d");
        let uri = format!("a://{}", "/b/c".repeat(15_000));
        let start = std::time::Instant::now();
        assert_eq!(template.matches(&uri), None);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
        assert_eq!(template.matches(&format!("a://{}", "x".repeat(70_000))), None);
    }

    #[test]
    fn path_traversal_is_detected() {
        for value in [
            r#"["a","\u002e."]"#,
            r#"{"/etc":1}"#,
            r#""..""#,
            "..",
            "../x",
            "a/../b",
            "a\\..\\b",
            "/etc/passwd",
            "\\\\host",
            "C:\\x",
            "c:/x",
            "a\0b",
        ] {
            assert!(is_traversal(value), "{value}");
        }
        for value in ["a", "a/b", "a..b", "..a", "...", "ORD-101", "12:30", "1:x"] {
            assert!(!is_traversal(value), "{value}");
        }
    }
}
