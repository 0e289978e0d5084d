//! Parses attributes and items into structs.
//!
//! Each reader reports malformed values only. `validate` checks whether the values fit together.

mod arg;
mod docs;
mod duration;
mod entry;
mod foreign;
mod function;
mod handler;
mod icon;
mod impl_block;
mod json;
mod literal;
mod main;
mod middleware;
mod model;
mod option_keys;
mod rename;
mod resource;
mod server;
mod surroundings;
mod template;
mod tokens;
mod tool_error;
mod value;

pub(crate) use arg::{ArgOptions, ComputedDefault};
pub(crate) use docs::{Description, read_doc_comments};
pub(crate) use entry::OptionValue;
pub(crate) use foreign::{find_wrapped_parameters, wrapped_parameters_message};
pub(crate) use function::{FnItem, is_allowed_on_parameter};
pub(crate) use handler::{Flag, HandlerOptions, ResultContent, SpecificOptions, ToolOptions};
pub(crate) use icon::Icon;
pub(crate) use impl_block::{BlockItem, ImplBlock};
pub(crate) use literal::{JsonLiteral, LiteralKind, Number};
pub(crate) use main::MainOptions;
pub(crate) use model::ModelOptions;
pub(crate) use rename::RenameRule;
pub(crate) use resource::ResourceOptions;
pub(crate) use server::ServerOptions;
pub(crate) use surroundings::Surroundings;
pub(crate) use template::{Template, Variable};
pub(crate) use tokens::split_at_commas;
pub(crate) use tool_error::{ErrorCase, ErrorType, Visible, is_option as is_error_option};

/// Returns the names of all options, each as `tool::read_only`, except for `crate`.
#[cfg(test)]
pub(crate) fn option_names() -> Vec<String> {
    use crate::component::Component;

    let components = Component::ALL.map(|component| (component.to_string(), option_keys::keys_of(component)));
    let others = [
        ("server", server::SERVER_KEYS.to_vec()),
        ("model", model::KEYS.to_vec()),
        ("main", main::KEYS.to_vec()),
        ("arg", arg::ARG_KEYS.to_vec()),
    ];
    let others = others.map(|(name, keys)| (name.to_owned(), keys));
    let all = components.into_iter().chain(others);
    let names = all.flat_map(|(owner, keys)| keys.into_iter().map(move |key| format!("{owner}::{key}")));
    names.filter(|name| !name.ends_with("::crate")).collect()
}
