//! Checks the type under `#[derive(mcp::ToolError)]` and its `#[mcp(..)]` attributes.

use syn::{Data, Fields};

use crate::errors::Errors;
use crate::parse::{ErrorType, Visible, is_error_option};

/// Checks all parts of an error type.
pub(crate) fn check_tool_error(error: &ErrorType<'_>, errors: &mut Errors) {
    let input = error.input;
    if let Data::Union(union) = &input.data {
        errors.at(union.union_token, "a union does not store which of its fields is set: make it an `enum`");
    }
    if !input.generics.params.is_empty() {
        errors.at(
            &input.generics,
            "a generic error type cannot be registered: remove the parameters, or convert the error with `map_err`",
        );
    }
    if let (Data::Enum(_), Some(Visible::Text(text))) = (&input.data, &error.options.visible) {
        errors.at(text, "one text cannot describe all variants: put it on a variant, or write `visible`");
    }
    for case in &error.cases {
        check_fields(case.fields, errors);
    }
}

/// Reports `#[mcp(..)]` on a field.
fn check_fields(fields: &Fields, errors: &mut Errors) {
    for attribute in fields.iter().flat_map(|field| &field.attrs).filter(|attribute| is_error_option(attribute)) {
        errors.at(attribute, "`#[mcp(..)]` goes on a variant or on the whole type, not on a field");
    }
}
