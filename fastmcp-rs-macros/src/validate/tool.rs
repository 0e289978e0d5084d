//! What a tool's options may say together, and its name.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, FnArg};

use super::{argument, signature};
use crate::errors::Errors;
use crate::model::{Execution, ToolFn};
use crate::parse::Flag;

pub(crate) fn check(tool: &ToolFn<'_>, errors: &mut Errors) {
    check_name(tool, errors);
    check_handle(tool, errors);
    check_flags(tool, errors);
    signature::check(&tool.item.signature, errors);
    for input in &tool.item.signature.inputs {
        if let FnArg::Typed(typed) = input {
            argument::check_other_attributes(&typed.attrs, errors);
        }
    }
    for parameter in &tool.parameters {
        argument::check_type(parameter.ty, errors);
        argument::check_options(&parameter.options, parameter.ty, errors);
    }
    argument::check_names(&tool.parameters, errors);
    argument::check_headers(&tool.parameters, errors);
}

/// Whether this attribute is `#[mcp::tool]` again.
pub(crate) fn is_tool_attribute(attribute: &Attribute) -> bool {
    let segments: Vec<String> = attribute.path().segments.iter().map(|segment| segment.ident.to_string()).collect();
    match segments.as_slice() {
        [.., module, name] => module == "mcp" && name == "tool",
        _ => false,
    }
}

/// The specification asks for 1 to 128 characters out of `A-Z a-z 0-9 _ . -`.
fn check_name(tool: &ToolFn<'_>, errors: &mut Errors) {
    let name = tool.name();
    let given = tool.options.name.as_ref();
    let fix = match given {
        Some(_) => "choose another",
        None => "add `name = \"..\"` to `#[mcp::tool]`",
    };
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let length = name.chars().count();
    let problem = if name.is_empty() {
        "a tool's name cannot be empty: write one, or remove `name` to use the function's".to_owned()
    } else if let Some(illegal) = name.chars().find(|c| !is_legal(*c)) {
        format!("a tool's name holds ASCII letters, digits, `_`, `-` and `.` only, not {illegal:?}: {fix}")
    } else if length > 128 {
        format!("a tool's name has at most 128 characters, and this one has {length}: {fix}")
    } else {
        return;
    };
    match given {
        Some(literal) => errors.at(literal, problem),
        None => errors.at(tool.ident(), problem),
    }
}

/// The hidden type must not take the place of a primitive type in the user's module.
fn check_handle(tool: &ToolFn<'_>, errors: &mut Errors) {
    const PRIMITIVES: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32", "u64",
        "u128", "usize",
    ];
    let handle = tool.handle().unraw().to_string();
    if PRIMITIVES.contains(&handle.as_str()) {
        errors.at(
            tool.options.handle.as_ref().unwrap_or(tool.ident()),
            format!(
                "the type that stands for this tool would hide the primitive `{handle}`: name it with `handle = ..`"
            ),
        );
    }
}

fn check_flags(tool: &ToolFn<'_>, errors: &mut Errors) {
    let options = &tool.options;
    let on = |flag: &'_ Option<Flag>| flag.as_ref().filter(|flag| flag.on).map(|flag| flag.key.clone());
    if let (Some(_), Some(destructive)) = (on(&options.read_only), on(&options.destructive)) {
        errors.at(
            destructive,
            "a `read_only` tool changes nothing, so it cannot be `destructive`: remove one of the two",
        );
    }
    let Some(inline) = on(&options.inline) else {
        return;
    };
    if let Some(blocking) = on(&options.blocking) {
        errors.at(
            blocking,
            "`inline` runs a tool where requests are read, `blocking` on a thread of its own: remove one of the two",
        );
    }
    if tool.item.signature.asyncness.is_some() && tool.execution() == Execution::Inline {
        errors.at(
            inline.to_token_stream(),
            "an `async fn` is always polled in place first: remove `inline`, which is for a plain `fn` that never waits",
        );
    }
}
