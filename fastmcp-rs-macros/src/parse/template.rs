//! Parses URI templates: RFC 6570 up to level 3, and `{x*}`, which FastMCP's users know.
//!
//! A template is accepted only if a URI can be split into the same variables again. So path-style parameters (`{;x}`)
//! and truncated values (`{x:3}`) are errors.

use syn::LitStr;

/// The URI of a resource, with or without variables.
pub(crate) struct Template {
    pub(crate) literal: LitStr,
    /// The variables, each name once, in the order of the template.
    pub(crate) variables: Vec<Variable>,
    /// The mistakes, in the order of the template.
    pub(crate) problems: Vec<String>,
}

/// A variable of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// The expression with this variable alone, such as `{+path}`.
    pub(crate) spelling: String,
    /// True if a URI may omit the variable.
    pub(crate) is_optional: bool,
}

const FORMS: &str = "use `{x}`, `{+x}`, `{x*}`, `{/x}`, `{.x}`, `{#x}`, `{?x,y}` or `{&x,y}`";

impl Template {
    pub(super) fn parse(literal: LitStr) -> Self {
        let text = literal.value();
        let mut parser = TemplateParser::default();
        parser.parse_template(&text);
        Self { literal, variables: parser.variables, problems: parser.problems }
    }

    pub(crate) fn has_variables(&self) -> bool {
        !self.variables.is_empty()
    }
}

/// State of the parser while it goes through a template from left to right.
#[derive(Default)]
struct TemplateParser {
    variables: Vec<Variable>,
    problems: Vec<String>,
    /// True after a `?`, as text or as an operator.
    has_query: bool,
    /// The first query expression; only query expressions may follow it.
    query: Option<String>,
    /// The expression, with its braces, that ends at the current position.
    previous: Option<String>,
}

impl TemplateParser {
    fn parse_template(&mut self, text: &str) {
        self.problems.extend(find_scheme_problem(text));
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let (literal, after) = rest.split_at(brace);
            self.parse_literal(literal);
            let inside = &after[1..];
            if after.starts_with('}') {
                self.problems.push("a `}` closes nothing here: remove it, or open the braces before it".to_owned());
                rest = inside;
                continue;
            }
            match inside.find(['{', '}']) {
                Some(end) if inside[end..].starts_with('}') => {
                    self.parse_expression(&inside[..end]);
                    rest = &inside[end + 1..];
                }
                Some(end) => {
                    self.report_unclosed(&inside[..end]);
                    rest = &inside[end..];
                }
                None => {
                    self.report_unclosed(inside);
                    rest = "";
                }
            }
        }
        self.parse_literal(rest);
    }

    fn report_unclosed(&mut self, inside: &str) {
        self.problems.push(format!("the brace of `{{{inside}` is not closed: write `}}` after the variable's name"));
    }

    /// Checks the text between two expressions.
    fn parse_literal(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.previous = None;
        self.report_text_after_query(text);
        self.has_query |= text.contains('?');
        for (index, character) in text.char_indices() {
            if character == '%' {
                let escape: Vec<char> = text[index + 1..].chars().take(2).collect();
                if escape.len() < 2 || !escape.iter().all(char::is_ascii_hexdigit) {
                    self.problems.push(
                        "`%` must be followed by two hexadecimal digits: for a literal `%`, write `%25`".to_owned(),
                    );
                }
            } else if !character.is_ascii_graphic() || "\"<>\\^`|".contains(character) {
                let mut buffer = [0; 4];
                let escaped: Vec<String> =
                    character.encode_utf8(&mut buffer).bytes().map(|byte| format!("%{byte:02X}")).collect();
                self.problems.push(format!("a URI cannot contain {character:?}: write `{}`", escaped.concat()));
            }
        }
    }

    fn report_text_after_query(&mut self, text: &str) {
        if let Some(query) = self.query.take() {
            self.problems.push(format!("the query must be at the end of the URI: move `{query}` after `{text}`"));
        }
    }

    /// Parses the text in a pair of braces.
    fn parse_expression(&mut self, inside: &str) {
        let is_named = |first: char| first.is_alphanumeric() || first == '_' || first.is_whitespace();
        let operator = inside.chars().next().filter(|first| !is_named(*first));
        let names = &inside[operator.map_or(0, char::len_utf8)..];
        match operator {
            None | Some('+') => {
                self.report_text_after_query(&format!("{{{inside}}}"));
                if let Some(previous) = &self.previous {
                    self.problems.push(format!(
                        "the end of `{previous}` before `{{{inside}}}` is ambiguous: write a separator between them"
                    ));
                }
            }
            Some('/' | '.' | '#') => self.report_text_after_query(&format!("{{{inside}}}")),
            Some('?' | '&') => self.parse_query(operator == Some('?'), inside),
            Some(';') => {
                self.problems.push(format!("`{{{inside}}}` is a path-style parameter, which is not supported: {FORMS}"))
            }
            Some(other) => {
                self.problems.push(format!("`{other}` in `{{{inside}}}` is not a supported operator: {FORMS}"));
            }
        }
        self.previous = Some(format!("{{{inside}}}"));
        if names.is_empty() {
            self.problems
                .push(format!("`{{{inside}}}` has no variable: write its name into the braces, or remove them"));
            return;
        }
        for name in names.split(',') {
            self.parse_variable(operator, name);
        }
    }

    fn parse_query(&mut self, is_first: bool, inside: &str) {
        let names = &inside[1..];
        match (is_first, self.has_query) {
            (true, true) => self.problems.push(format!("the query begins before `{{{inside}}}`: write `{{&{names}}}`")),
            (false, false) => {
                self.problems
                    .push(format!("`{{{inside}}}` continues a query, but none begins before it: write `{{?{names}}}`"));
            }
            _ => {}
        }
        self.has_query = true;
        self.query.get_or_insert_with(|| format!("{{{inside}}}"));
    }

    fn parse_variable(&mut self, operator: Option<char>, written: &str) {
        let sign = operator.map(String::from).unwrap_or_default();
        let (name, modifier) = match written.find([':', '*']) {
            Some(place) => written.split_at(place),
            None => (written, ""),
        };
        match (modifier, operator) {
            ("", _) | ("*", None) => {}
            ("*", _) => self.problems.push(format!(
                "`*` cannot be combined with an operator: write `{{{name}*}}` for the rest of the URI with its \
                 slashes, or `{{{sign}{name}}}`"
            )),
            _ => self.problems.push(format!(
                "`{{{sign}{written}}}` would truncate the value, so it could not be read back: write \
                 `{{{sign}{name}}}`, and limit it with `#[arg(max_length = ..)]`"
            )),
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_part) {
            self.problems.push(format!(
                "`{name}` cannot be the name of a variable: it must be the name of a parameter, with ASCII letters, \
                 digits and `_`, and no digit first"
            ));
            return;
        }
        let spelling = match modifier {
            "*" => format!("{{{name}*}}"),
            _ => format!("{{{sign}{name}}}"),
        };
        if self.variables.iter().any(|variable| variable.name == name) {
            self.problems.push(format!("the variable `{name}` occurs twice in the template: rename one of the two"));
            return;
        }
        let is_optional = matches!(operator, Some('/' | '.' | '#' | '?' | '&'));
        self.variables.push(Variable { name: name.to_owned(), spelling, is_optional });
    }
}

/// Returns the mistake in the scheme. A URI has to start with one that has no variables.
fn find_scheme_problem(text: &str) -> Option<String> {
    let head = text.split('{').next().unwrap_or(text);
    if text.is_empty() {
        return Some("a resource's URI cannot be empty: write one, as in `config://app`".to_owned());
    }
    let Some((scheme, _)) = head.split_once(':') else {
        return Some(match head.len() == text.len() {
            true => {
                let rest = text.trim_start_matches('/');
                format!("`{text}` has no scheme: begin with one, as in `app://{rest}`")
            }
            false => "a URI begins with a scheme without variables: write one before the first variable, as in `orders://{order_id}`".to_owned(),
        });
    };
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+.-".contains(c);
    if scheme.starts_with(|c: char| c.is_ascii_lowercase()) && scheme.chars().all(is_part) {
        return None;
    }
    let lower = scheme.to_ascii_lowercase();
    Some(match lower.starts_with(|c: char| c.is_ascii_lowercase()) && lower.chars().all(is_part) {
        true => format!("a scheme must be in lower case: write `{lower}:`"),
        false => format!(
            "`{scheme}` is not a valid scheme: it must start with a letter, and have only lower-case ASCII letters, \
             digits, `+`, `-` and `.`"
        ),
    })
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn parse(text: &str) -> Template {
        Template::parse(LitStr::new(text, Span::call_site()))
    }

    fn variables(text: &str) -> Vec<String> {
        let template = parse(text);
        assert_eq!(template.problems, Vec::<String>::new(), "{text}");
        template.variables.into_iter().map(|variable| variable.spelling).collect()
    }

    #[test]
    fn every_form_of_expression_is_accepted() {
        assert_eq!(variables("config://app"), [""; 0]);
        assert_eq!(variables("orders://{order_id}"), ["{order_id}"]);
        assert_eq!(variables("file:///{+path}"), ["{+path}"]);
        assert_eq!(variables("repo://{owner}/{name}/{path*}"), ["{owner}", "{name}", "{path*}"]);
        assert_eq!(variables("a+b.c-d:x{/seg}{.ext}{#part}"), ["{/seg}", "{.ext}", "{#part}"]);
        assert_eq!(variables("s://x{?a,b}{&c}"), ["{?a}", "{?b}", "{&c}"]);
        assert_eq!(variables("s://x?fixed=1{&_c9}"), ["{&_c9}"]);
        assert_eq!(variables("map://{x,y}"), ["{x}", "{y}"]);
        assert_eq!(variables("s://caf%C3%A9/~user/!$'()*+,;=@[v]"), [""; 0]);
    }

    #[test]
    fn every_mistake_in_a_template_is_reported() {
        for (text, problems) in [
            ("", &["cannot be empty"] as &[&str]),
            ("orders/all", &["`orders/all` has no scheme: begin with one, as in `app://orders/all`"]),
            ("{scheme}://x", &["a scheme without variables"]),
            ("Orders://x", &["write `orders:`"]),
            ("1a://x", &["`1a` is not a valid scheme"]),
            ("my_app://x", &["`my_app` is not a valid scheme"]),
            ("://x", &["`` is not a valid scheme"]),
            ("s://{id", &["the brace of `{id` is not closed"]),
            ("s://{a{b}", &["the brace of `{a` is not closed"]),
            ("s://id}", &["a `}` closes nothing"]),
            ("s://{}", &["`{}` has no variable"]),
            ("s://{?}", &["`{?}` has no variable"]),
            ("s://{;x}", &["path-style parameter"]),
            ("s://{=x}", &["`=` in `{=x}` is not a supported operator"]),
            ("s://{!x}", &["`!` in `{!x}` is not a supported operator"]),
            ("s://{x:3}", &["`{x:3}` would truncate the value"]),
            ("s://{/x:30}", &["write `{/x}`"]),
            (
                "s://{/x*}",
                &[
                    "`*` cannot be combined with an operator: write `{x*}` for the rest of the URI with its slashes, or `{/x}`",
                ],
            ),
            ("s://{*x}", &["`*` in `{*x}` is not a supported operator"]),
            ("s://{order-id}", &["`order-id` cannot be the name"]),
            ("s://{ x }", &["` x ` cannot be the name"]),
            ("s://{9x}", &["`9x` cannot be the name"]),
            ("s://{é}", &["`é` cannot be the name"]),
            ("s://{a,,b}", &["`` cannot be the name"]),
            ("s://{a,}", &["`` cannot be the name"]),
            ("s://{x}/{+x}", &["the variable `x` occurs twice in the template"]),
            ("s://x{?a}/more", &["move `{?a}` after `/more`"]),
            ("s://x{?a}{b}/c", &["move `{?a}` after `{b}`", "the end of `{?a}` before `{b}` is ambiguous"]),
            ("s://{a}{+b}{/c}", &["the end of `{a}` before `{+b}` is ambiguous: write a separator between them"]),
            ("s://x{?a}{?b}", &["the query begins before `{?b}`: write `{&b}`"]),
            ("s://x?y=1{?b}", &["write `{&b}`"]),
            ("s://x{&a,b}", &["write `{?a,b}`"]),
            ("s://a b", &["a URI cannot contain ' ': write `%20`"]),
            ("s://é", &["a URI cannot contain 'é': write `%C3%A9`"]),
            ("s://100%", &["`%` must be followed by"]),
            ("s://%zz", &["`%` must be followed by"]),
            (
                "s:// {;x} {x:1} }",
                &["' '", "path-style", "' '", "truncate the value", "twice", "' '", "closes nothing"],
            ),
        ] {
            let found = parse(text).problems;
            assert_eq!(found.len(), problems.len(), "{text}: {found:#?}");
            for (found, part) in found.iter().zip(problems) {
                assert!(found.contains(part), "{text}: {found}");
            }
        }
    }
}
