//! The URI of a resource, as its macro reads it.

use syn::LitStr;

use crate::shared::uri_template::{self, Part};

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

impl Template {
    pub(super) fn parse(literal: LitStr) -> Self {
        let text = literal.value();
        let parsed = uri_template::parse(&text);
        let variables = parsed.parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(Variable::from(*variable)),
            Part::Literal(_) => None,
        });
        let problems = parsed.problems.iter().map(|(text, fix)| format!("{text}: {fix}"));
        Self { literal, variables: variables.collect(), problems: problems.collect() }
    }

    pub(crate) fn has_variables(&self) -> bool {
        !self.variables.is_empty()
    }
}

impl From<uri_template::Variable<'_>> for Variable {
    fn from(variable: uri_template::Variable<'_>) -> Self {
        let uri_template::Variable { name, operator, has_star } = variable;
        let spelling = match operator {
            _ if has_star => format!("{{{name}*}}"),
            Some(operator) => format!("{{{operator}{name}}}"),
            None => format!("{{{name}}}"),
        };
        Self { name: name.to_owned(), spelling, is_optional: variable.is_optional() }
    }
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
