//! Checks a tool, resource or prompt: its name, its options together, and then its signature and arguments.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{FnArg, ReturnType};

use super::{argument, resource, signature};
use crate::component::Component;
use crate::errors::Errors;
use crate::handler::{Execution, Handler, Parameter};
use crate::parse::{Flag, ResultContent, SpecificOptions, ToolOptions};
use crate::shared::names::find_name_problem;

/// Checks all parts of a handler.
pub(crate) fn check_handler(handler: &Handler<'_>, errors: &mut Errors) {
    let component = handler.component();
    check_name(handler, errors);
    check_handle(handler, errors);
    match &handler.options.specific {
        SpecificOptions::Tool(options) => {
            check_tool_options(options, errors);
            check_result_options(options, errors);
        }
        SpecificOptions::Resource(options) => resource::check_options(options, errors),
        SpecificOptions::Prompt => {}
    }
    check_execution(handler, errors);
    signature::check_signature(&handler.item.signature, component, errors);
    for input in &handler.item.signature.inputs {
        if let FnArg::Typed(typed) = input {
            argument::check_foreign_attributes(&typed.attrs, component, errors);
        }
    }
    for parameter in &handler.parameters {
        argument::check_type(parameter.ty, component, errors);
        argument::check_options(&parameter.options, parameter.ty, errors);
        argument::check_component_options(&parameter.options, component, errors);
    }
    argument::check_names(&handler.parameters, errors);
    argument::check_headers(&handler.parameters, errors);
    resource::check_variables(handler, errors);
}

/// The types of a function with mistakes that rustc can still check, so that one build shows all mistakes.
#[derive(Default)]
pub(crate) struct CheckableTypes<'h, 'a> {
    pub(crate) parameters: Vec<CheckableParameter<'h, 'a>>,
    pub(crate) has_output: bool,
}

/// A parameter whose type rustc can check.
pub(crate) struct CheckableParameter<'h, 'a> {
    pub(crate) parameter: &'h Parameter<'a>,
    /// Whether rustc can check the options too.
    pub(crate) has_options: bool,
}

/// Finds the types that no mistake concerns.
pub(crate) fn find_checkable_types<'h, 'a>(handler: &'h Handler<'a>) -> CheckableTypes<'h, 'a> {
    let component = handler.component();
    let signature = &handler.item.signature;
    let has_none = |check: &dyn Fn(&mut Errors)| {
        let mut errors = Errors::default();
        check(&mut errors);
        errors.is_empty()
    };
    if signature::is_method(signature) || signature::has_placeholder(signature) {
        return CheckableTypes::default();
    }
    // The variables of a URI decide on the check of a resource's parameters.
    let are_roles_known = has_none(&|errors| resource::check_variables(handler, errors))
        && (component != Component::Resource || handler.uri().is_some_and(|uri| uri.problems.is_empty()));
    let is_checkable = |parameter: &&Parameter<'_>| {
        are_roles_known
            && !signature::names_generic(signature, parameter.ty)
            && has_none(&|errors| argument::check_type(parameter.ty, component, errors))
    };
    let parameters = handler.parameters.iter().filter(is_checkable).map(|parameter| CheckableParameter {
        parameter,
        has_options: has_none(&|errors| {
            argument::check_options(&parameter.options, parameter.ty, errors);
            argument::check_component_options(&parameter.options, component, errors);
        }),
    });
    let has_generic_output = match &signature.output {
        ReturnType::Type(_, ty) => signature::names_generic(signature, ty),
        ReturnType::Default => false,
    };
    CheckableTypes {
        parameters: parameters.collect(),
        has_output: !has_generic_output
            && has_none(&|errors| signature::check_output(&signature.output, component, errors)),
    }
}

fn check_name(handler: &Handler<'_>, errors: &mut Errors) {
    let component = handler.component();
    let given = handler.options.name.as_ref();
    let fix = match given {
        Some(_) => "choose another".to_owned(),
        None => format!("add `name = \"..\"` to `#[mcp::{component}]`"),
    };
    let name = handler.name();
    let problem = if name.is_empty() {
        format!("a {component}'s name cannot be empty: write one, or remove `name` to use the function's")
    } else if component == Component::Tool {
        match find_name_problem(&name, "tool") {
            Some(problem) => format!("{problem}: {fix}"),
            None => return,
        }
    } else {
        return;
    };
    match given {
        Some(literal) => errors.at(literal, problem),
        None => errors.at(handler.ident(), problem),
    }
}

/// Reports a handle that would shadow a primitive type in the user's module.
fn check_handle(handler: &Handler<'_>, errors: &mut Errors) {
    const PRIMITIVES: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32", "u64",
        "u128", "usize",
    ];
    let handle = handler.handle().unraw().to_string();
    if PRIMITIVES.contains(&handle.as_str()) {
        errors.at(
            handler.options.handle.as_ref().unwrap_or(handler.ident()),
            format!(
                "the type that represents this {} would hide the primitive `{handle}`: name it with `handle = ..`",
                handler.component()
            ),
        );
    }
}

/// Returns the key of a flag that is on.
fn enabled_key(flag: &Option<Flag>) -> Option<&proc_macro2::Ident> {
    flag.as_ref().filter(|flag| flag.on).map(|flag| &flag.key)
}

fn check_tool_options(options: &ToolOptions, errors: &mut Errors) {
    if let (Some(_), Some(destructive)) = (enabled_key(&options.read_only), enabled_key(&options.destructive)) {
        errors.at(
            destructive,
            "a `read_only` tool changes nothing, so it cannot be `destructive`: remove one of the two",
        );
    }
}

/// Reports options about structured content on a tool that sends none.
fn check_result_options(options: &ToolOptions, errors: &mut Errors) {
    let Some(content) = options.result_content.as_ref().filter(|content| content.value == ResultContent::Text) else {
        return;
    };
    if let Some(schema) = &options.output_schema {
        errors.at(
            &schema.key,
            "a tool that sends only text publishes no output schema: remove `output_schema` or `result_content`",
        );
    }
    if let Some(structured) = enabled_key(&options.structured) {
        errors.at(
            structured,
            format!("`result_content = {}` sends no structured content: remove one of the two", content.tokens),
        );
    }
}

fn check_execution(handler: &Handler<'_>, errors: &mut Errors) {
    let Some(inline) = enabled_key(&handler.options.inline) else {
        return;
    };
    if let Some(blocking) = enabled_key(&handler.options.blocking) {
        errors.at(
            blocking,
            format!(
                "`inline` runs a {} on the thread that reads requests, `blocking` on a thread of its own: remove one \
                 of the two",
                handler.component()
            ),
        );
    }
    if handler.item.signature.asyncness.is_some() && handler.execution() == Execution::Inline {
        errors.at(
            inline.to_token_stream(),
            "an `async fn` is always polled inline first: remove `inline`, which is for a plain `fn` that never blocks",
        );
    }
}
