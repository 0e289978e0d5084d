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
            format!("`{text}` must begin with a scheme in lower case that is written out"),
            "write one, as in `orders://{order_id}`",
        );
    }
    let is_part = |c: char| c.is_ascii_graphic() && !"\"<>\\^`|".contains(c);
    if let Some(other) = text.chars().find(|c| !is_part(*c) && !matches!(c, '{' | '}')) {
        problems
            .add(format!("a URI cannot hold {other:?}"), "write it as `%` and two hexadecimal digits for each byte");
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
                    format!("a query stands at the end of a URI, but `{literal}` follows"),
                    "move it to the front",
                );
            }
        }
        rest = &rest[literal.len()..];
        if rest.is_empty() {
            break;
        }
        let Some((expression, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            problems.add(format!("a brace of `{text}` has no other"), "write variables as in `{order_id}`");
            break;
        };
        rest = after;
        let operator = expression.chars().next().filter(|first| "+/.#?&".contains(*first));
        let inside = &expression[operator.map_or(0, char::len_utf8)..];
        in_query |= matches!(operator, Some('?' | '&'));
        if is_open && matches!(operator, None | Some('+')) {
            problems.add(
                format!("nothing tells where the value before `{{{expression}}}` ends"),
                "write something between them",
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
                    format!("`{{{expression}}}` is no expression that can be read back"),
                    "there are `{x}`, `{+x}`, `{x*}`, `{/x}`, `{.x}`, `{#x}`, `{?x,y}` and `{&x,y}`, where names hold ASCII letters, digits and `_`, and no digit first",
                );
            } else if names.contains(&name) {
                problems.add(format!("the variable `{name}` stands in the template twice"), "rename one of the two");
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
        problems.add("a template stands for many resources, so it has no size", "remove `.size(…)`");
    }
    for name in allow_traversal.iter().filter(|name| !variables.contains(name)) {
        problems.add(
            format!("`allow_traversal` names `{name}`, which is no variable of `{uri}`"),
            "name one, or remove it",
        );
    }
}

/// Reports a variable that may be missing from a URI although its parameter is required.
pub(crate) fn report_optional_variable(name: &str, problems: &mut ProblemList) {
    problems.add(
        format!("the variable `{name}` may be missing from the URI"),
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
            ("a://x y", "cannot hold ' '"),
            ("a://{x", "no other"),
            ("a://x}", "no other"),
            ("a://{x{y}}", "no expression"),
            ("a://{}", "no expression"),
            ("a://{;x}", "no expression"),
            ("a://{x:3}", "no expression"),
            ("a://{+x*}", "no expression"),
            ("a://{x-y}", "no expression"),
            ("a://{x}{y}", "nothing tells"),
            ("a://{x}/{x}", "twice"),
            ("a://x{?y}/z", "at the end"),
        ] {
            let problems = problems(bad);
            assert!(problems.iter().any(|problem| problem.contains(part)), "{bad}: {problems:?}");
        }
    }
}
