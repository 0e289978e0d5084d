//! Checks the types of arguments and their `#[arg(..)]` options.

use std::fmt::Display;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Type, TypeReference};

use crate::component::Component;
use crate::errors::{Errors, did_you_mean};
use crate::handler::Parameter;
use crate::parse::{ArgOptions, JsonLiteral, Number, OptionValue};
use crate::types::{Shape, as_reference, find_nested_borrow, find_word, generic_arguments, strip_groups};

/// Reports a type that neither an argument nor an injected value can have.
pub(crate) fn check_type(ty: &Type, component: Component, errors: &mut Errors) {
    if let Some(keyword) = find_word(ty, "impl") {
        errors.at(
            keyword,
            "an argument needs a concrete type, because its schema is made from it: write the type instead of `impl \
             ..`",
        );
        return;
    }
    let behind = match as_reference(ty) {
        Some(reference) => {
            if let Some(mutability) = &reference.mutability {
                errors.at(mutability, mutable_message(&reference.elem, component));
                return;
            }
            check_lifetime(reference, component, errors);
            &reference.elem
        }
        None => match generic_arguments(ty, "Option").as_deref() {
            Some([inner]) => match as_reference(inner) {
                Some(reference) => {
                    check_lifetime(reference, component, errors);
                    &reference.elem
                }
                None => ty,
            },
            _ => ty,
        },
    };
    match strip_groups(behind) {
        Type::TraitObject(object) => errors.at(
            object.dyn_token.to_token_stream(),
            "an argument needs a concrete type, because its schema is made from it: write the type instead of `dyn ..`",
        ),
        Type::Ptr(pointer) => errors.at(
            pointer.star_token,
            format!("an argument {}, which has no pointers: take `&T`, or `T` by value", component.argument_source()),
        ),
        Type::FnPtr(pointer) => {
            errors.at(pointer.fn_token, format!("an argument {}, which has no functions", component.argument_source()))
        }
        other => {
            if let Some(and) = find_nested_borrow(other) {
                errors.at(
                    and,
                    "only an argument itself, or the inside of its `Option`, can be a reference: use an owned type here, as in `&[String]`",
                );
            }
        }
    }
}

/// Explains that nothing is lent to a handler for changes.
fn mutable_message(ty: &Type, component: Component) -> String {
    if generic_arguments(ty, "Context").is_some() {
        return "a call has one context, which no handler changes: take `&Context`".to_owned();
    }
    if generic_arguments(ty, "State").is_some() {
        let ty = ty.to_token_stream().to_string().replace(' ', "");
        return format!(
            "the app keeps the state, and all calls share it: take `{ty}`, and keep mutable data in a `Mutex`, an \
             atomic or the like"
        );
    }
    format!("a {component} cannot change its caller's arguments: take `&T`, or `T` by value")
}

/// Reports `&'static T`.
fn check_lifetime(reference: &TypeReference, component: Component, errors: &mut Errors) {
    let lifetime = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static");
    if let Some(lifetime) = lifetime {
        errors.at(
            lifetime,
            format!(
                "a {component} borrows its arguments for the time of the call: remove `'static`, or take `T` by value"
            ),
        );
    }
}

/// Reports `#[arg]` options that contradict each other or the spelled type.
pub(crate) fn check_options(options: &ArgOptions, ty: &Type, errors: &mut Errors) {
    let shape = Shape::from_type(ty);
    check_order(&options.min, &options.max, Number::is_less_than, errors);
    check_order(&options.min_length, &options.max_length, |left, right| left < right, errors);
    check_constraints_fit(options, shape, errors);
    if let Some(default) = &options.default {
        check_default(default, options, shape, errors);
    }
    if let Some(flatten) = &options.flatten {
        check_flatten(flatten, options, ty, errors);
    }
    if let Some(rename) = &options.rename {
        if rename.value().is_empty() {
            errors.at(rename, "an argument's name cannot be empty");
        }
    }
    if let Some(header) = &options.header {
        check_header(header, shape, errors);
    }
}

/// Reports options that arguments of this component cannot have.
pub(crate) fn check_component_options(options: &ArgOptions, component: Component, errors: &mut Errors) {
    match component {
        Component::Tool => reject_completion(options, "a tool's argument", errors),
        Component::Resource => {
            reject_header(options, "variables of a resource", errors);
            reject_flatten(options, "a resource, whose arguments are the variables of its URI", errors);
            if let Some(title) = &options.title {
                errors.at(&title.key, "the variables of a URI template have no titles: remove `title`");
            }
        }
        Component::Prompt => reject_header(options, "arguments of a prompt", errors),
    }
}

/// Reports `flatten` on a type that is spelled as anything except a struct of the user, and other options beside it.
fn check_flatten(flatten: &Ident, options: &ArgOptions, ty: &Type, errors: &mut Errors) {
    let behind = as_reference(ty).map_or(ty, |reference| &reference.elem);
    if generic_arguments(behind, "Option").is_some() {
        errors.at(
            ty,
            "`flatten` needs the struct itself: remove the `Option`, and make the fields of the struct optional",
        );
    } else if !matches!(Shape::from_type(ty), Shape::Unknown | Shape::Map) {
        let noun = Shape::from_type(ty).noun();
        errors.at(flatten, format!("`flatten` merges the fields of a struct, and this is {noun}: remove it"));
    }
    for other in &options.others_than_flatten {
        errors.at(
            other,
            format!("`{other}` has no effect beside `flatten`: remove it, or put it on a field of the struct"),
        );
    }
}

/// Reports `header`, which only arguments of tools can have.
pub(super) fn reject_header(options: &ArgOptions, others: &str, errors: &mut Errors) {
    if let Some(header) = &options.header {
        errors.at(&header.key, format!("`header` is an option of arguments of tools, not of {others}: remove it"));
    }
}

/// Reports `flatten`, which only arguments of tools and prompts can have.
pub(super) fn reject_flatten(options: &ArgOptions, other: &str, errors: &mut Errors) {
    if let Some(flatten) = &options.flatten {
        errors.at(
            flatten,
            format!("`flatten` is an option of arguments of tools and prompts, not of {other}: remove it"),
        );
    }
}

/// Reports `complete`, which only arguments of prompts and variables of templates can have.
pub(super) fn reject_completion(options: &ArgOptions, other: &str, errors: &mut Errors) {
    if let Some(complete) = &options.complete {
        errors.at(
            &complete.key,
            format!(
                "only arguments of a prompt and variables of a URI template have completions, not {other}: remove \
                 `complete`"
            ),
        );
    }
}

/// Reports a lower bound that is above the upper bound.
fn check_order<T: Copy>(
    low: &Option<OptionValue<T>>,
    high: &Option<OptionValue<T>>,
    is_less: impl Fn(T, T) -> bool,
    errors: &mut Errors,
) {
    if let (Some(low), Some(high)) = (low, high) {
        if is_less(high.value, low.value) {
            errors.at(
                &low.tokens,
                format!(
                    "`{}` is above `{} = {}`, so no value fits: swap the two",
                    low.key,
                    high.key,
                    format_number(&high.tokens)
                ),
            );
        }
    }
}

/// Formats a number without the space that `quote` prints after its sign, a token of its own.
fn format_number(tokens: &TokenStream) -> String {
    tokens.to_string().replace("- ", "-")
}

/// Reports constraints that the spelled type cannot have.
fn check_constraints_fit(options: &ArgOptions, shape: Shape, errors: &mut Errors) {
    let noun = shape.noun();
    let bounds = [&options.min, &options.max];
    for bound in bounds.into_iter().flatten() {
        let key = &bound.key;
        match shape {
            Shape::String | Shape::List | Shape::Map => errors.at(
                key,
                format!("`{key}` bounds a number, and this is {noun}: to bound its length, write `{key}_length`"),
            ),
            Shape::Bool => errors.at(key, format!("`{key}` bounds a number, and this is {noun}: remove it")),
            Shape::Char => errors.at(key, format!("`{key}` bounds a number, and this is {noun}: remove it")),
            Shape::Integer { min, max } => check_integer_bound(bound, min, max, errors),
            Shape::F32 if bound.value.as_f64().abs() > f64::from(f32::MAX) => errors.at(
                &bound.tokens,
                format!(
                    "`{key} = {}` is beyond the range of an `f32`: remove it, or take an `f64`",
                    format_number(&bound.tokens)
                ),
            ),
            Shape::F64 | Shape::F32 | Shape::Unknown => {}
        }
    }
    let lengths = [&options.min_length, &options.max_length];
    for bound in lengths.into_iter().flatten() {
        let key = &bound.key;
        match shape {
            Shape::Integer { .. } | Shape::F64 | Shape::F32 => {
                let number = key.to_string().replace("_length", "");
                errors.at(
                    key,
                    format!("`{key}` bounds a length, and this is {noun}: to bound its value, write `{number}`"),
                );
            }
            Shape::Bool | Shape::Char => {
                errors.at(key, format!("`{key}` bounds a length, and this is {noun}: remove it"))
            }
            Shape::String | Shape::List | Shape::Map | Shape::Unknown => {}
        }
    }
    if let Some(pattern) = &options.pattern {
        check_pattern(&pattern.value, errors);
        if !matches!(shape, Shape::String | Shape::Char | Shape::Unknown) {
            errors.at(
                &pattern.key,
                format!("`pattern` is for strings, and this is {noun}: remove it, or take a `String`"),
            );
        }
    }
}

/// Reports a pattern that the runtime could not compile. The runtime uses the same crate.
fn check_pattern(pattern: &syn::LitStr, errors: &mut Errors) {
    if let Err(error) = regex_lite::Regex::new(&pattern.value()) {
        errors.at(
            pattern,
            format!(
                "this pattern is not valid ({error}): patterns have the syntax of the crate `regex-lite`, without look-around, back-references and `\\p{{..}}`"
            ),
        );
    }
}

/// Reports a bound that is outside of the integer's range, or not an integer.
fn check_integer_bound(bound: &OptionValue<Number>, min: i128, max: i128, errors: &mut Errors) {
    let (key, written) = (&bound.key, format_number(&bound.tokens));
    // A float such as `1e3` is a whole number too.
    let value = match bound.value {
        Number::Float(value) if value.fract() == 0.0 => Number::Integer(value as i128),
        other => other,
    };
    match value {
        Number::Float(_) => errors.at(
            &bound.tokens,
            format!("`{key} = {written}` is a fraction, and this is an integer: write a whole number"),
        ),
        Number::Integer(value) if value < min || value > max => errors.at(
            &bound.tokens,
            format!(
                "`{key} = {written}` is beyond this type, whose range is {min} to {max}: remove it, or take a larger \
                 type"
            ),
        ),
        Number::Integer(_) => {}
    }
}

/// Reports a default that the constraints of its own argument reject.
fn check_default(default: &JsonLiteral, options: &ArgOptions, shape: Shape, errors: &mut Errors) {
    let mut refuse = |problem: String| errors.at(&default.tokens, problem);
    if let Some(value) = default.number {
        if let (Number::Integer(integer), Shape::Integer { min, max }) = (value, shape) {
            if integer < min || integer > max {
                refuse(format!("this default does not fit its type, whose range is {min} to {max}"));
                return;
            }
        }
        if let Some(min) = options.min.as_ref().filter(|min| value.is_less_than(min.value)) {
            refuse(default_message("default", "below", &min.key, &min.tokens));
        }
        if let Some(max) = options.max.as_ref().filter(|max| max.value.is_less_than(value)) {
            refuse(default_message("default", "above", &max.key, &max.tokens));
        }
    }
    if let Some(length) = default.length {
        if let Some(min) = options.min_length.as_ref().filter(|min| length < min.value) {
            refuse(default_message("default's length", "below", &min.key, &min.tokens));
        }
        if let Some(max) = options.max_length.as_ref().filter(|max| length > max.value) {
            refuse(default_message("default's length", "above", &max.key, &max.tokens));
        }
    }
}

fn default_message(subject: &str, side: &str, key: &Ident, bound: &TokenStream) -> String {
    format!("this {subject} is {side} `{key} = {}`: change one of the two", format_number(bound))
}

/// Reports a name that is not a `token` of RFC 9110, as names of HTTP headers are, and a type that headers cannot
/// carry.
fn check_header(header: &OptionValue<syn::LitStr>, shape: Shape, errors: &mut Errors) {
    let name = header.value.value();
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() {
        errors.at(&header.value, "a header's name cannot be empty: write one, as in `header = \"Region\"`");
    } else if let Some(illegal) = name.chars().find(|c| !is_token(*c)) {
        errors.at(
            &header.value,
            format!(
                "a header's name may have only ASCII letters, digits and !#$%&'*+-.^_`|~ (RFC 9110), not {illegal:?}"
            ),
        );
    }
    if matches!(shape, Shape::F64 | Shape::F32 | Shape::List | Shape::Map) {
        errors.at(
            &header.key,
            format!("`header` sends a string, an integer or a boolean, and this is {}: remove it", shape.noun()),
        );
    }
}

/// Reports two arguments with one key.
pub(crate) fn check_names(parameters: &[Parameter<'_>], errors: &mut Errors) {
    check_unique(
        parameters.iter().filter(|parameter| has_name(parameter)).map(|parameter| {
            let blame = match &parameter.options.rename {
                Some(rename) => rename.to_token_stream(),
                None => parameter.ident.to_token_stream(),
            };
            // rustc reports two parameters with the same identifier, but not `note` and `_note`.
            let is_changed =
                parameter.options.rename.is_some() || parameter.rule.is_some() || parameter.has_underscore();
            (parameter.name(), blame, is_changed)
        }),
        |name| format!("two arguments are called `{name}`: rename one of them"),
        errors,
    );
}

/// Returns whether the parameter is an argument of its own, as far as its spelling shows.
fn has_name(parameter: &Parameter<'_>) -> bool {
    let is_whole = generic_arguments(parameter.ty, "Args").is_some();
    let is_whole = is_whole || parameter.options.flatten.is_some() || parameter.pattern.is_some();
    !is_whole && !is_spelled_injected(parameter.ty)
}

/// Returns whether a type is spelled like an injected one. The names of such parameters have no meaning.
pub(super) fn is_spelled_injected(ty: &Type) -> bool {
    let behind = as_reference(ty).map_or(ty, |reference| &reference.elem);
    let is_injected =
        |ty: &Type| ["State", "Context", "Extension"].iter().any(|name| generic_arguments(ty, name).is_some());
    match generic_arguments(behind, "Option").as_deref() {
        Some([inner]) => is_injected(inner),
        _ => is_injected(behind),
    }
}

/// Reports two arguments that mirror one header. The case of header names does not matter.
pub(crate) fn check_headers(parameters: &[Parameter<'_>], errors: &mut Errors) {
    check_unique(
        parameters.iter().filter_map(|parameter| {
            let header = parameter.options.header.as_ref()?;
            let name = header.value.value().to_ascii_lowercase();
            Some((name, header.value.to_token_stream(), true))
        }),
        |name| format!("two arguments have the header `{name}`, and its case does not matter: rename one of them"),
        errors,
    );
}

/// Reports repeated names. Each name comes with the tokens to underline, and with whether `#[arg]` sets it.
fn check_unique<M: Display>(
    names: impl Iterator<Item = (String, TokenStream, bool)>,
    message: impl Fn(&str) -> M,
    errors: &mut Errors,
) {
    let mut seen: Vec<(String, TokenStream, bool)> = Vec::new();
    for (name, blame, is_ours) in names {
        match seen.iter().find(|(other, ..)| *other == name) {
            // The name that `#[arg]` sets is the one to change.
            Some(_) if is_ours => errors.at(&blame, message(&name)),
            Some((_, first, true)) => errors.at(first, message(&name)),
            _ => {}
        }
        seen.push((name, blame, is_ours));
    }
}

/// Reports attributes that rustc would reject on a parameter, with a fix.
pub(crate) fn check_foreign_attributes(attributes: &[Attribute], component: Component, errors: &mut Errors) {
    for attribute in attributes {
        let path = attribute.path();
        if path.is_ident("arg") || path.is_ident("doc") {
            continue;
        }
        if path.is_ident("cfg") || path.is_ident("cfg_attr") {
            errors.at(
                attribute,
                format!("a {component} has the same arguments in every build: put `#[cfg]` on the function"),
            );
        } else if !crate::parse::is_allowed_on_parameter(attribute) {
            let name = path.to_token_stream().to_string().replace(' ', "");
            let suggestion = did_you_mean(&name, &["arg"]);
            errors.at(path, format!("a parameter takes `#[arg(..)]` and doc comments, not `#[{name}]`{suggestion}"));
        }
    }
}
