//! Checks the `impl` block under `#[mcp::server]`, and the parts of its methods that functions do not have.

use syn::{GenericParam, Ident, ItemImpl, ReceiverKind, Type};

use crate::component::Component;
use crate::errors::Errors;
use crate::handler::Handler;
use crate::server::{ServerBlock, ServerMethod};
use crate::types::{is_borrowed, strip_groups};

const STATE_OUTLIVES_CALLS: &str = "the app keeps the state for as long as it runs, so the state cannot borrow";

/// Reports a block whose type cannot be a state. `check_method` and `check_handler` check its methods.
pub(crate) fn check_server_block(server: &ServerBlock, errors: &mut Errors) {
    let ItemImpl { generics, trait_, self_ty, .. } = &server.block.header;
    if let Some((path, _)) = trait_ {
        errors.at(
            path,
            "`#[mcp::server]` goes on a block of a type's own methods: write `impl Type { .. }`, and call the trait's methods in it",
        );
    }
    for parameter in &generics.params {
        match parameter {
            GenericParam::Lifetime(parameter) => {
                let lifetime = &parameter.lifetime;
                errors.at(lifetime, format!("{STATE_OUTLIVES_CALLS}: let the type own its data, without `{lifetime}`"));
            }
            GenericParam::Type(parameter) => errors.at(&parameter.ident, generic_message(&parameter.ident)),
            GenericParam::Const(parameter) => errors.at(&parameter.ident, generic_message(&parameter.ident)),
        }
    }
    if generics.params.is_empty() {
        if let Some(clause) = &generics.where_clause {
            errors.at(
                clause.where_token,
                "a server's type is not generic, so there is nothing to bound: remove the `where` clause",
            );
        }
        check_state_type(self_ty, errors);
    }
}

/// Reports components of one block with the same name, and returns whether the block has an earlier method of the same
/// function name, which rustc reports. Methods with conditions exclude each other.
pub(crate) fn check_distinct<'h>(handlers: &[Handler<'h>], errors: &mut Errors) -> Vec<bool> {
    let is_conditional =
        |handler: &Handler<'_>| handler.item.attributes.iter().any(|attribute| attribute.path().is_ident("cfg"));
    let repeats = |index: usize, is_same: &dyn Fn(&Handler<'h>) -> bool| {
        handlers[..index].iter().any(|earlier| !is_conditional(earlier) && is_same(earlier))
    };
    let is_repeated = handlers.iter().enumerate().map(|(index, handler)| {
        if is_conditional(handler) {
            return false;
        }
        if repeats(index, &|earlier| earlier.ident() == handler.ident()) {
            return true;
        }
        let component = handler.component();
        let name = handler.name();
        if component != Component::Resource
            && repeats(index, &|earlier| earlier.component() == component && earlier.name() == name)
        {
            let problem =
                format!("two {component}s of this block are called `{name}`: choose another name for this one");
            match &handler.options.name {
                Some(literal) => errors.at(literal, problem),
                None => errors.at(handler.ident(), problem),
            }
        }
        false
    });
    is_repeated.collect()
}

/// Reports a block without components. Called only if the block has no other mistakes.
pub(crate) fn check_not_empty(server: &ServerBlock, errors: &mut Errors) {
    if server.methods.is_empty() {
        errors.at(
            server.block.header.impl_token,
            "this block has no tools, resources or prompts: put `#[tool]`, `#[resource(\"..\")]` or `#[prompt]` on its methods",
        );
    }
}

fn generic_message(name: &Ident) -> String {
    format!(
        "the tools of a server have fixed types, so its `impl` cannot be generic: replace `{name}` with a concrete \
         type or value"
    )
}

fn check_state_type(ty: &Type, errors: &mut Errors) {
    if !matches!(strip_groups(ty), Type::Path(_) | Type::Macro(_)) {
        errors.at(ty, "a server is your own struct or enum with the data of its methods: write `impl` for one");
    } else if is_borrowed(ty) {
        errors.at(ty, format!("{STATE_OUTLIVES_CALLS}: let the type own its data"));
    }
}

/// Reports mistakes that only a method can have. `check_handler` reports the others.
pub(crate) fn check_method(method: &ServerMethod, handler: &Handler<'_>, errors: &mut Errors) {
    let ServerMethod { component, receiver, .. } = method;
    if let Some(receiver) = receiver {
        let lent = "the app keeps the state, and all calls share it";
        match &receiver.kind {
            ReceiverKind::Reference(_, _, None) => {}
            ReceiverKind::Reference(_, _, Some(mutability)) => errors.at(
                mutability,
                format!("{lent}: take `&self`, and keep mutable data in a `Mutex`, an atomic or the like"),
            ),
            ReceiverKind::Value => {
                errors.at(receiver.self_token, format!("{lent}, so no call can take it: take `&self`"))
            }
            ReceiverKind::Typed(_, ty) => errors
                .at(ty, format!("{lent}: write `&self`, and keep the data of your own tasks in an `Arc` in a field")),
            _ => errors.at(receiver, format!("{lent}: write `&self`")),
        }
    }
    let mut receivers = handler.parameters.iter().filter(|parameter| parameter.is_receiver());
    if let Some(option) = receivers.find_map(|receiver| receiver.options.first.as_ref()) {
        errors.at(option, "`self` is the state, not an argument: remove its options");
    }
    let options = &handler.options;
    if let Some(handle) = &options.handle {
        errors.at(
            handle,
            format!(
                "a method has no handle: remove this; `App::server::<Type>()` registers all {component}s of the block"
            ),
        );
    }
    if let Some(crate_path) = &options.crate_path {
        errors.at(crate_path, "this belongs to the whole block: write `#[mcp::server(crate = ..)]`");
    }
}
