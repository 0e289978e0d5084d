//! URIs and URI templates of resources.

use super::problem::ProblemList;

/// Checks the URI or template of a resource that is created at run time. The macro checks templates in source code, more
/// closely and with better messages.
pub(crate) fn check_template(text: &str, problems: &mut ProblemList) {
    let head = text.split('{').next().unwrap_or(text);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+.-".contains(c))
    };
    if !head.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) {
        problems.add(
            format!("`{text}` must begin with a literal scheme in lower case"),
            "write one, as in `orders://{order_id}`",
        );
    }
    let is_part = |c: char| c.is_ascii_graphic() && !"\"<>\\^`|".contains(c);
    if let Some(other) = text.chars().find(|c| !is_part(*c) && !matches!(c, '{' | '}')) {
        problems
            .add(format!("a URI cannot contain {other:?}"), "write it as `%` and two hexadecimal digits for each byte");
    }
    let mut names: Vec<&str> = Vec::new();
    let mut rest = text;
    // The kind of the previous part: an expression whose end only a literal can mark, or the query.
    let (mut is_open, mut in_query) = (false, false);
    while !rest.is_empty() {
        let literal = rest.find(['{', '}']).map_or(rest, |brace| &rest[..brace]);
        if !literal.is_empty() {
            is_open = false;
            if in_query {
                problems.add(
                    format!("the query must be at the end of the URI, but `{literal}` follows"),
                    "move it before the query",
                );
            }
        }
        rest = &rest[literal.len()..];
        if rest.is_empty() {
            break;
        }
        let Some((expression, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            problems.add(format!("the braces of `{text}` do not match"), "write variables as in `{order_id}`");
            break;
        };
        rest = after;
        let operator = expression.chars().next().filter(|first| "+/.#?&".contains(*first));
        let inside = &expression[operator.map_or(0, char::len_utf8)..];
        in_query |= matches!(operator, Some('?' | '&'));
        if is_open && matches!(operator, None | Some('+')) {
            problems.add(
                format!("the end of the value before `{{{expression}}}` is ambiguous"),
                "write a separator between them",
            );
        }
        is_open = true;
        for written in inside.split(',') {
            let name = if operator.is_none() { written.strip_suffix('*').unwrap_or(written) } else { written };
            let is_name = !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_name {
                problems.add(
                    format!("`{{{expression}}}` is not supported"),
                    "use `{x}`, `{+x}`, `{x*}`, `{/x}`, `{.x}`, `{#x}`, `{?x,y}` or `{&x,y}`, with names of ASCII letters, digits and `_` that do not begin with a digit",
                );
            } else if names.contains(&name) {
                problems.add(format!("the variable `{name}` occurs twice in the template"), "rename one of the two");
            } else {
                names.push(name);
            }
        }
    }
}

/// Checks the options of a resource against its template, which has these variables.
pub(crate) fn check_resource_options(
    uri: &str,
    variables: &[String],
    has_size: bool,
    allow_traversal: &[String],
    problems: &mut ProblemList,
) {
    if has_size && uri.contains('{') {
        problems.add("a template describes many resources, so it has no size", "remove `.size(…)`");
    }
    for name in allow_traversal.iter().filter(|name| !variables.contains(name)) {
        problems.add(
            format!("`allow_traversal` contains `{name}`, which is not a variable of `{uri}`"),
            "write the name of a variable, or remove it",
        );
    }
}

/// Reports a variable that may be missing from a URI although its parameter is required.
pub(crate) fn report_optional_variable(name: &str, problems: &mut ProblemList) {
    problems.add(
        format!("the variable `{name}` is optional in the URI"),
        "its parameter must be an `Option` or have a default",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut problems = ProblemList::new("x");
        check_template(text, &mut problems);
        problems.texts()
    }

    #[test]
    fn a_dynamic_template_is_checked() {
        for good in ["a://b", "a://{x}", "a+b:{x*}", "a://{+x}/y", "a://x{/y}{?z,w}", "a://x?b=1{&c}", "a://{x,y}"] {
            assert!(problems(good).is_empty(), "{good}: {:?}", problems(good));
        }
        for (bad, part) in [
            ("", "scheme"),
            ("x/{y}", "scheme"),
            ("{x}://y", "scheme"),
            ("A://y", "scheme"),
            ("a://x y", "cannot contain ' '"),
            ("a://{x", "do not match"),
            ("a://x}", "do not match"),
            ("a://{x{y}}", "is not supported"),
            ("a://{}", "is not supported"),
            ("a://{;x}", "is not supported"),
            ("a://{x:3}", "is not supported"),
            ("a://{+x*}", "is not supported"),
            ("a://{x-y}", "is not supported"),
            ("a://{x}{y}", "ambiguous"),
            ("a://{x}/{x}", "twice"),
            ("a://x{?y}/z", "at the end"),
        ] {
            let problems = problems(bad);
            assert!(problems.iter().any(|problem| problem.contains(part)), "{bad}: {problems:?}");
        }
    }
}
