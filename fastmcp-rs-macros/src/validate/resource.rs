//! Checks the options of a resource, and whether the variables of its URI match its parameters.

use syn::LitStr;

use super::argument::is_spelled_injected;
use crate::errors::{Errors, did_you_mean};
use crate::handler::{Handler, Parameter, Role};
use crate::parse::{Number, ResourceOptions, Variable};
use crate::types::{Shape, find_word};

/// Reports mistakes in the URI template and in the options that only resources have.
pub(super) fn check_options(options: &ResourceOptions, errors: &mut Errors) {
    if let Some(uri) = &options.uri {
        for problem in &uri.problems {
            errors.at(&uri.literal, problem);
        }
        if let Some(size) = options.size.as_ref().filter(|_| uri.has_variables()) {
            errors.at(&size.key, "`size` is the size of one resource, and a template describes many: remove it");
        }
        check_traversal(&uri.variables, &options.allow_traversal, uri.problems.is_empty(), errors);
    } else if options.uri_constant.is_some() {
        check_traversal(&[], &options.allow_traversal, true, errors);
    }
    if let Some(mime_type) = options.mime_type.as_ref().filter(|literal| !is_mime_type(&literal.value())) {
        errors.at(
            mime_type,
            "a MIME type has a type and a subtype, as in `application/json` or `text/plain; charset=utf-8`",
        );
    }
    for member in &options.audience {
        let value = member.value();
        if !matches!(value.as_str(), "user" | "assistant") {
            let suggestion = did_you_mean(&value, &["user", "assistant"]);
            errors.at(member, format!("`{value}` is not an audience{suggestion}: write `\"user\"` or `\"assistant\"`"));
        }
    }
    if let Some(scope) = &options.scope {
        let value = scope.value();
        if !matches!(value.as_str(), "private" | "public") {
            let suggestion = did_you_mean(&value, &["private", "public"]);
            errors.at(
                scope,
                format!("`{value}` is not a scope{suggestion}: write `\"private\"` to cache per client, or `\"public\"` to share the cache"),
            );
        }
    }
    if let Some(priority) = &options.priority {
        let (low, high) = (Number::Integer(0), Number::Integer(1));
        if priority.value.is_less_than(low) || high.is_less_than(priority.value) {
            errors.at(&priority.tokens, "a priority is a number from 0 (optional) to 1 (required)");
        }
    }
    if let Some(last_modified) = options.last_modified.as_ref().filter(|literal| !is_timestamp(&literal.value())) {
        errors.at(
            last_modified,
            "`last_modified` is a date and a time with their offset (RFC 3339), as in `2026-01-31T12:00:00Z`",
        );
    }
}

/// Reports names in `allow_traversal` that are not variables of the template.
fn check_traversal(variables: &[Variable], allowed: &[LitStr], is_sound: bool, errors: &mut Errors) {
    let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
    for literal in allowed {
        let name = literal.value();
        // A malformed template may be meant to have the variable.
        if !is_sound || names.contains(&name.as_str()) {
            continue;
        }
        let problem = match names.as_slice() {
            [] => "this URI has no variables".to_owned(),
            _ => format!("the template has no variable `{name}`{}", did_you_mean(&name, &names)),
        };
        errors.at(
            literal,
            format!(
                "{problem}: `allow_traversal` lists the variables whose values may contain `..` or be an absolute path"
            ),
        );
    }
}

/// Reports variables without a parameter, and parameters that are neither variables nor injected.
///
/// If the spelling does not show whether a type is injected, the runtime's traits decide.
pub(super) fn check_variables(handler: &Handler<'_>, errors: &mut Errors) {
    let Some(uri) = handler.uri() else {
        return;
    };
    let is_stray =
        |parameter: &&Parameter<'_>| handler.role(parameter) == Role::Injected && !is_spelled_injected(parameter.ty);
    let stray: Vec<(String, &Parameter<'_>)> =
        handler.parameters.iter().filter(is_stray).map(|parameter| (parameter.name(), parameter)).collect();
    let stray_names: Vec<&str> = stray.iter().map(|(name, _)| name.as_str()).collect();
    let mut missing: Vec<&str> = Vec::new();
    for variable in &uri.variables {
        let mut parameters = handler.parameters.iter().filter(|parameter| !parameter.is_receiver());
        match parameters.find(|parameter| parameter.name() == variable.name) {
            Some(parameter) => check_optional_variable(variable, parameter, errors),
            None => {
                missing.push(&variable.name);
                errors.at(&uri.literal, missing_parameter_message(variable, &stray_names));
            }
        }
    }
    // A malformed template may lack variables that it is meant to have.
    if !uri.problems.is_empty() {
        return;
    }
    for (name, parameter) in &stray {
        // A misspelled name is one mistake, which the missing variable has reported.
        let is_misspelled = missing.iter().any(|missing| !did_you_mean(missing, &[name.as_str()]).is_empty());
        if is_misspelled || Shape::from_type(parameter.ty) == Shape::Unknown {
            continue;
        }
        errors.at(
            &*parameter.ident,
            format!(
                "this parameter has no value, because the URI has no variable `{name}`: write `{{{name}}}` or \
                 `{{?{name}}}` into the URI, or remove the parameter"
            ),
        );
    }
}

fn missing_parameter_message(variable: &Variable, others: &[&str]) -> String {
    let Variable { name, spelling, is_optional } = variable;
    let ty = if *is_optional { "Option<&str>" } else { "&str" };
    let suggestion = did_you_mean(name, others);
    format!(
        "the template has `{spelling}`, but the function has no parameter `{name}`{suggestion}: add one, as in `{name}: {ty}`, or remove the variable"
    )
}

fn check_optional_variable(variable: &Variable, parameter: &Parameter<'_>, errors: &mut Errors) {
    if variable.is_optional && !can_be_absent(parameter) {
        let spelling = &variable.spelling;
        errors.at(
            parameter.ty,
            format!("`{spelling}` is optional in a URI: make this an `Option`, or add `#[arg(default = ..)]`"),
        );
    }
}

/// Returns whether the parameter may have a value without one in the URI, as far as its spelling shows.
fn can_be_absent(parameter: &Parameter<'_>) -> bool {
    let ty = parameter.ty;
    parameter.options.has_default() || Shape::from_type(ty) == Shape::Unknown || find_word(ty, "Option").is_some()
}

/// Returns whether the text is a type and a subtype, with or without parameters.
fn is_mime_type(text: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Returns whether the text is a date and time of RFC 3339.
fn is_timestamp(text: &str) -> bool {
    // `0` in a form stands for any digit.
    let has_form = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let Some((moment, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else {
        return false;
    };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            match offset.len() < fraction.len() {
                true => offset,
                false => return false,
            }
        }
        None => rest,
    };
    let number = |range: std::ops::Range<usize>| moment.get(range).and_then(|digits| digits.parse::<u8>().ok());
    let is_in = |range: std::ops::Range<usize>, low: u8, high: u8| {
        number(range).is_some_and(|value| (low..=high).contains(&value))
    };
    has_form(moment, "0000-00-00T00:00:00")
        && is_in(5..7, 1, 12)
        && is_in(8..10, 1, 31)
        && is_in(11..13, 0, 23)
        && is_in(14..16, 0, 59)
        && is_in(17..19, 0, 60)
        && (offset == "Z" || has_form(offset, "+00:00") || has_form(offset, "-00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_has_the_form_of_rfc_3339() {
        for good in ["2026-01-31T12:00:00Z", "2026-12-01T23:59:60.123+05:30", "1999-01-01T00:00:00-00:00"] {
            assert!(is_timestamp(good), "{good}");
        }
        for bad in [
            "",
            "2026-01-31",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-01-31 12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00+5:30",
            "yesterday, a long time ago",
            "é026-01-31T12:00:00Z",
        ] {
            assert!(!is_timestamp(bad), "{bad}");
        }
    }

    #[test]
    fn a_mime_type_is_a_type_and_a_subtype() {
        for good in ["text/plain", "application/vnd.api+json", "text/html; charset=utf-8"] {
            assert!(is_mime_type(good), "{good}");
        }
        for bad in ["", "json", "text/", "/plain", "text/plain/x", "text plain", "te xt/plain"] {
            assert!(!is_mime_type(bad), "{bad}");
        }
    }
}
