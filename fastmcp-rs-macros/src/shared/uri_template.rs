//! The grammar of URI templates: RFC 6570 up to level 3, and `{x*}`, which FastMCP's users know.
//!
//! A template is accepted only if a URI can be split into the same variables again. So path-style parameters (`{;x}`)
//! and truncated values (`{x:3}`) are errors.

const FORMS: &str = "use `{x}`, `{+x}`, `{x*}`, `{/x}`, `{.x}`, `{#x}`, `{?x,y}` or `{&x,y}`";

/// A template, or a URI without variables.
#[derive(Default)]
pub(crate) struct ParsedTemplate<'t> {
    /// The parts, in the order of the template, without those that have a mistake.
    pub(crate) parts: Vec<Part<'t>>,
    /// The mistakes, in the order of the template, each with its fix.
    pub(crate) problems: Vec<(String, String)>,
}

/// A part of a template.
pub(crate) enum Part<'t> {
    /// Text that URIs contain as it is. The comma of `{x,y}` is one, too.
    // Only the library reads it.
    Literal(#[allow(dead_code)] &'t str),
    Variable(Variable<'t>),
}

/// A variable of a template. Each name occurs once.
#[derive(Clone, Copy)]
pub(crate) struct Variable<'t> {
    pub(crate) name: &'t str,
    /// The operator of its expression: `+`, `/`, `.`, `#`, `?` or `&`.
    pub(crate) operator: Option<char>,
    /// True for `{x*}`.
    pub(crate) has_star: bool,
}

impl Variable<'_> {
    /// Returns true if a URI may omit the variable. In a URI, its value comes after the operator.
    pub(crate) fn is_optional(&self) -> bool {
        matches!(self.operator, Some('/' | '.' | '#' | '?' | '&'))
    }
}

/// Parses a template and finds all of its mistakes.
pub(crate) fn parse(text: &str) -> ParsedTemplate<'_> {
    let mut parser = TemplateParser::default();
    parser.template.problems.extend(find_scheme_problem(text));
    parser.parse_text(text);
    parser.template
}

/// State of the parser while it goes through a template from left to right.
#[derive(Default)]
struct TemplateParser<'t> {
    template: ParsedTemplate<'t>,
    /// True after a `?`, as text or as an operator.
    has_query: bool,
    /// The first query expression; only query expressions may follow it.
    query: Option<&'t str>,
    /// The content of the expression that ends at the current position.
    previous: Option<&'t str>,
}

impl<'t> TemplateParser<'t> {
    fn report(&mut self, problem: impl Into<String>, fix: impl Into<String>) {
        self.template.problems.push((problem.into(), fix.into()));
    }

    fn parse_text(&mut self, text: &'t str) {
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let (literal, after) = rest.split_at(brace);
            self.parse_literal(literal);
            let inside = &after[1..];
            if after.starts_with('}') {
                self.report("a `}` closes nothing here", "remove it, or open the braces before it");
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
        self.report(format!("the brace of `{{{inside}` is not closed"), "write `}` after the variable's name");
    }

    /// Parses the text between two expressions.
    fn parse_literal(&mut self, text: &'t str) {
        if text.is_empty() {
            return;
        }
        self.template.parts.push(Part::Literal(text));
        self.previous = None;
        self.report_text_after_query(text);
        self.has_query |= text.contains('?');
        for (index, character) in text.char_indices() {
            if character == '%' {
                let escape = text.as_bytes().get(index + 1..index + 3);
                if !escape.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    self.report("`%` must be followed by two hexadecimal digits", "for a literal `%`, write `%25`");
                }
            } else if !character.is_ascii_graphic() || "\"<>\\^`|".contains(character) {
                let mut buffer = [0; 4];
                let bytes = character.encode_utf8(&mut buffer).bytes();
                let escaped: String = bytes.map(|byte| format!("%{byte:02X}")).collect();
                self.report(format!("a URI cannot contain {character:?}"), format!("write `{escaped}`"));
            }
        }
    }

    fn report_text_after_query(&mut self, text: &str) {
        if let Some(query) = self.query.take() {
            self.report("the query must be at the end of the URI", format!("move `{{{query}}}` after `{text}`"));
        }
    }

    /// Parses the text in a pair of braces.
    fn parse_expression(&mut self, inside: &'t str) {
        let is_named = |first: char| first.is_alphanumeric() || first == '_' || first.is_whitespace();
        let operator = inside.chars().next().filter(|first| !is_named(*first));
        let names = &inside[operator.map_or(0, char::len_utf8)..];
        match operator {
            None | Some('+') => {
                self.report_text_after_query(&format!("{{{inside}}}"));
                if let Some(previous) = self.previous {
                    self.report(
                        format!("the end of `{{{previous}}}` before `{{{inside}}}` is ambiguous"),
                        "write a separator between them",
                    );
                }
            }
            Some('/' | '.' | '#') => self.report_text_after_query(&format!("{{{inside}}}")),
            Some('?' | '&') => self.begin_query(operator == Some('?'), inside),
            Some(';') => {
                self.report(format!("`{{{inside}}}` is a path-style parameter, which is not supported"), FORMS);
            }
            Some(other) => self.report(format!("`{other}` in `{{{inside}}}` is not a supported operator"), FORMS),
        }
        self.previous = Some(inside);
        if names.is_empty() {
            self.report(format!("`{{{inside}}}` has no variable"), "write its name into the braces, or remove them");
            return;
        }
        for (index, name) in names.split(',').enumerate() {
            if index > 0 && matches!(operator, None | Some('+')) {
                self.template.parts.push(Part::Literal(","));
            }
            self.parse_variable(operator, name);
        }
    }

    fn begin_query(&mut self, is_first: bool, inside: &'t str) {
        let names = &inside[1..];
        match (is_first, self.has_query) {
            (true, true) => {
                self.report(format!("the query begins before `{{{inside}}}`"), format!("write `{{&{names}}}`"));
            }
            (false, false) => {
                self.report(
                    format!("`{{{inside}}}` continues a query, but none begins before it"),
                    format!("write `{{?{names}}}`"),
                );
            }
            _ => {}
        }
        self.has_query = true;
        self.query.get_or_insert(inside);
    }

    fn parse_variable(&mut self, operator: Option<char>, written: &'t str) {
        let sign = operator.map(String::from).unwrap_or_default();
        let (name, modifier) = match written.find([':', '*']) {
            Some(place) => written.split_at(place),
            None => (written, ""),
        };
        match (modifier, operator) {
            ("", _) | ("*", None) => {}
            ("*", _) => self.report(
                "`*` cannot be combined with an operator",
                format!("write `{{{name}*}}` for the rest of the URI with its slashes, or `{{{sign}{name}}}`"),
            ),
            _ => self.report(
                format!("`{{{sign}{written}}}` would truncate the value, so it could not be read back"),
                format!("write `{{{sign}{name}}}`, and limit the length of the value instead"),
            ),
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_part) {
            self.report(
                format!("`{name}` cannot be the name of a variable"),
                "it must be the name of a parameter, with ASCII letters, digits and `_`, and no digit first",
            );
            return;
        }
        let is_repeated = |part: &Part<'_>| matches!(part, Part::Variable(variable) if variable.name == name);
        if self.template.parts.iter().any(is_repeated) {
            self.report(format!("the variable `{name}` occurs twice in the template"), "rename one of the two");
            return;
        }
        self.template.parts.push(Part::Variable(Variable { name, operator, has_star: modifier == "*" }));
    }
}

/// Returns the mistake in the scheme, and its fix. A URI has to start with one that has no variables.
fn find_scheme_problem(text: &str) -> Option<(String, String)> {
    let head = text.split('{').next().unwrap_or(text);
    if text.is_empty() {
        return Some(("a resource's URI cannot be empty".to_owned(), "write one, as in `config://app`".to_owned()));
    }
    let Some((scheme, _)) = head.split_once(':') else {
        return Some(match head.len() == text.len() {
            true => {
                let rest = text.trim_start_matches('/');
                (format!("`{text}` has no scheme"), format!("begin with one, as in `app://{rest}`"))
            }
            false => (
                "a URI begins with a scheme without variables".to_owned(),
                "write one before the first variable, as in `orders://{order_id}`".to_owned(),
            ),
        });
    };
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+.-".contains(c);
    if scheme.starts_with(|c: char| c.is_ascii_lowercase()) && scheme.chars().all(is_part) {
        return None;
    }
    let lower = scheme.to_ascii_lowercase();
    Some(match lower.starts_with(|c: char| c.is_ascii_lowercase()) && lower.chars().all(is_part) {
        true => ("a scheme must be in lower case".to_owned(), format!("write `{lower}:`")),
        false => (
            format!("`{scheme}` is not a valid scheme"),
            "it must start with a letter, and have only lower-case ASCII letters, digits, `+`, `-` and `.`".to_owned(),
        ),
    })
}
