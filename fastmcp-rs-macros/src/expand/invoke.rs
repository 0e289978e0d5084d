//! Generates the function that the runtime calls, `__invoke`.
//!
//! Its statements carry the spans of the user's types, because rustc reports an unusable type at the statement that
//! needs it.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

use super::checks::{expand_bound_checks, expand_default_check, expand_default_function};
use super::crate_path::{private, private_at, spread_alias};
use super::definition::{expand_parameter, invoke_name};
use crate::component::Component;
use crate::handler::{Execution, Handler, Ownership, Parameter, Role};
use crate::parse::SpecificOptions;
use crate::server::self_alias;
use crate::types::{Shape, is_borrowed, replace_lifetimes, respan, strip_groups};
use crate::validate::CheckableTypes;

/// Generates `__invoke`. It checks each type of the signature once, reads the arguments and starts the call.
pub(super) fn expand_invoke(handler: &Handler<'_>) -> TokenStream {
    let private = private();
    let parameters = handler.parameters.iter().map(|parameter| expand_parameter(parameter, &private));
    let slots: Vec<Ident> = (0..handler.parameters.len()).map(slot_name).collect();
    let slots_by_index = handler.parameters.iter().enumerate();
    let slot_statements =
        slots_by_index.map(|(index, parameter)| expand_slot(index, parameter, handler.role(parameter)));
    let types = handler.parameters.iter().enumerate().map(|(index, parameter)| expand_type(index, parameter, handler));
    let checks = handler.parameters.iter().map(expand_literal_checks);
    let output = expand_output(handler);
    let output_name = output_name(handler);
    let lent_output = quote_spanned!(output_name.span()=> &#output_name);
    let run = expand_call(handler, &slots);
    // An array rather than a slice, because a clippy lint reports each index into a slice as a possible panic.
    let count = Literal::usize_unsuffixed(handler.parameters.len());
    let invoke = invoke_name(handler);
    quote! {
        fn #invoke(__invocation: #private::Invocation<'_>) -> #private::InvocationResult {
            const __PARAMETERS: &[#private::Parameter; #count] = &[#(#parameters),*];
            #(#types)*
            #(#checks)*
            #(#slot_statements)*
            #output
            let __call = match __invocation.begin(&mut [#(&mut #slots),*], #lent_output) {
                ::core::result::Result::Ok(__call) => __call,
                ::core::result::Result::Err(__invoked) => return __invoked,
            };
            let __context = __call.context();
            #run
        }
    }
}

/// Generates an `__invoke` that is never called, for a function with mistakes. It checks the types that can be checked.
pub(super) fn expand_broken_invoke(handler: &Handler<'_>, checkable: &CheckableTypes<'_, '_>) -> TokenStream {
    let private = private();
    let slots = checkable.parameters.iter().map(|checkable| match handler.role(checkable.parameter) {
        Role::Receiver => TokenStream::new(),
        role if checkable.has_options => {
            let definition = expand_parameter(checkable.parameter, &private);
            let checks = expand_literal_checks(checkable.parameter);
            let slot = expand_slot(0, checkable.parameter, role);
            let ty = expand_type(0, checkable.parameter, handler);
            quote!({
                #ty
                const __PARAMETERS: &[#private::Parameter; 1] = &[#definition];
                #checks
                #slot
            })
        }
        role => {
            let (nothing, empty) = (TokenStream::new(), quote!(#private::Parameter::EMPTY));
            let slot = expand_slot_value(0, checkable.parameter, role, &nothing, &empty);
            let ty = expand_type(0, checkable.parameter, handler);
            quote!({
                #ty
                let _ = #slot;
            })
        }
    });
    let output = checkable.has_output.then(|| expand_output_checks(handler));
    let invoke = invoke_name(handler);
    quote! {
        #[allow(unused_mut, unused_variables)]
        fn #invoke(_: #private::Invocation<'_>) -> #private::InvocationResult {
            #(#slots)*
            #output
            ::core::unreachable!()
        }
    }
}

/// Returns the local that holds the value of a parameter.
fn slot_name(index: usize) -> Ident {
    format_ident!("__{index}", span = Span::mixed_site())
}

/// Returns the alias of a parameter's type in the generated function. Its uses have the span of the type.
fn type_alias(index: usize, span: Span) -> Ident {
    format_ident!("__T{index}", span = span)
}

/// Generates the alias of a parameter's type. Only the alias names the type, in the same position as the signature
/// does, so that rustc reports a missing type once: its suggestions depend on the position.
fn expand_type(index: usize, parameter: &Parameter<'_>, handler: &Handler<'_>) -> TokenStream {
    if parameter.is_receiver() {
        return TokenStream::new();
    }
    let (alias, ty) = (type_alias(index, handler.ident().span()), slot_type(parameter));
    quote!(type #alias = #ty;)
}

/// Returns the type that the runtime provides. The function takes it by value or by reference.
fn slot_type(parameter: &Parameter<'_>) -> TokenStream {
    match parameter.ownership {
        Ownership::Owned => replace_lifetimes(parameter.ty.to_token_stream()),
        Ownership::Borrowed(ty) => replace_lifetimes(ty.to_token_stream()),
        Ownership::OptionBorrowed(ty) => {
            // At the span of the inner type; the `Option` keeps the user's tokens.
            let span = ty.span();
            let private = private_at(span);
            let ty = replace_lifetimes(ty.to_token_stream());
            let owned = quote_spanned!(span=> <#ty as #private::Lend>::Owned);
            replace_generic_argument(parameter.ty, owned)
        }
    }
}

/// Replaces the generic argument of the user's `Option<..>`, and keeps its other tokens.
fn replace_generic_argument(ty: &Type, argument: TokenStream) -> TokenStream {
    let mut ty = strip_groups(ty).clone();
    if let Type::Path(path) = &mut ty {
        let last = path.path.segments.last_mut().map(|last| &mut last.arguments);
        if let Some(PathArguments::AngleBracketed(list)) = last {
            list.args = std::iter::once(GenericArgument::Type(Type::Verbatim(argument))).collect();
        }
    }
    ty.into_token_stream()
}

/// Generates the statement that declares a parameter's slot. All its tokens have the span of the parameter's type,
/// where rustc then reports a type that cannot be a parameter.
fn expand_slot(index: usize, parameter: &Parameter<'_>, role: Role) -> TokenStream {
    let span = parameter.pattern.unwrap_or_else(|| parameter.ty.span());
    let private = private_at(span);
    let slot = slot_name(index);
    if role == Role::Receiver {
        let alias = self_alias(span);
        return quote_spanned!(span=> let mut #slot = #private::receiver::<#alias>(););
    }
    // An option on an injected parameter is reported at the option, which is to be removed. A variable cannot be
    // injected, so there the type is at fault.
    let option = parameter.options.first.as_ref().filter(|_| role != Role::Variable);
    let configurable = option.map(|option| {
        let configurable = Ident::new("configurable", option.span());
        quote_spanned!(span=> .#configurable())
    });
    let default = parameter.options.computed_default.as_ref().map(|default| {
        let make = expand_default_function(default);
        let with_default = Ident::new("with_default", default.tokens().span());
        quote_spanned!(span=> .#with_default(#make))
    });
    let (position, index) = (index, Literal::usize_unsuffixed(index));
    let definition = quote_spanned!(span=> __PARAMETERS[#index]);
    let value = expand_slot_value(position, parameter, role, &configurable.unwrap_or_default(), &definition);
    quote_spanned!(span=> let mut #slot = #value #default;)
}

/// Generates the slot of a parameter that is no receiver. `definition` is the `Parameter` of the parameter.
fn expand_slot_value(
    index: usize,
    parameter: &Parameter<'_>,
    role: Role,
    configurable: &TokenStream,
    definition: &TokenStream,
) -> TokenStream {
    // rustc reports an argument without a name at its pattern.
    let span = parameter.pattern.unwrap_or_else(|| parameter.ty.span());
    let private = private_at(span);
    let alias = type_alias(index, span);
    let ty = match parameter.pattern {
        Some(_) => alias.into_token_stream(),
        None => spread_alias(&alias, parameter.ty),
    };
    let slot_for = match role {
        Role::Variable => "variable_for",
        Role::Injected => "injected_for",
        Role::Pattern => "pattern_for",
        Role::TypeDependent if parameter.options.flatten.is_some() => "flat_slot_for",
        Role::TypeDependent | Role::Receiver => "slot_for",
    };
    let slot_for = Ident::new(slot_for, span);
    quote_spanned!(span=> (&#private::Input::<#ty>::NEW).kind()#configurable.#slot_for::<#ty>(&#definition))
}

/// Generates the checks that the options of a parameter fit its type, at the spans of the options.
fn expand_literal_checks(parameter: &Parameter<'_>) -> TokenStream {
    let ty = slot_type(parameter);
    let default = parameter.options.default.as_ref().map(|default| expand_default_check(default, &ty));
    let header = parameter.options.header.as_ref().map(|header| {
        let span = header.value.span();
        let private = private_at(span);
        let ty = respan(ty.clone(), span);
        quote_spanned!(span=> (&#private::Header::<#ty>::NEW).kind().check();)
    });
    let bounds = expand_bound_checks(&parameter.options, &ty, Shape::from_type(parameter.ty));
    quote!(#default #header #bounds)
}

/// Returns the span at which the returned value is checked: its type, inside of `Result<_, E>` if that is spelled.
fn output_span(handler: &Handler<'_>) -> Span {
    match (handler.output.value, handler.output.ty) {
        (Some(value), _) => value.span(),
        (None, Some(ty)) => ty.span(),
        (None, None) => handler.ident().span(),
    }
}

/// Returns the local that describes the output. All its uses have the span of the value's type, so that rustc reports a
/// type that cannot be returned once, not once per use.
fn output_name(handler: &Handler<'_>) -> Ident {
    Ident::new("__output", output_span(handler))
}

/// Generates the description of the output.
fn expand_output(handler: &Handler<'_>) -> TokenStream {
    let checks = expand_output_checks(handler);
    let output = output_name(handler);
    let [split, value, error] = output_locals();
    quote!(#checks let #output = #split.join(#value, #error);)
}

/// Returns the locals of an output's checks. They have the macro's hygiene, because the types may come from a
/// `macro_rules!` of the user.
fn output_locals() -> [Ident; 3] {
    ["__split", "__value", "__error"].map(|name| Ident::new(name, Span::mixed_site()))
}

/// Generates the checks of the output. Each type is checked at its own span.
fn expand_output_checks(handler: &Handler<'_>) -> TokenStream {
    let span = output_span(handler);
    let error_span = handler.output.error.map_or(span, Spanned::span);
    let private = private_at(span);
    let (alias, ty) = match handler.output.ty {
        Some(ty) => {
            let name = Ident::new("__Returned", handler.ident().span());
            let ty = replace_lifetimes(ty.to_token_stream());
            (Some(quote!(type #name = #ty;)), Ident::new("__Returned", span).into_token_stream())
        }
        None => (None, quote_spanned!(span=> ())),
    };
    let [split, value, error] = output_locals();
    let split_at = quote_spanned!(span=> let #split = (&#private::Output::<#ty>::NEW).split(););
    let kind = match handler.component() {
        Component::Tool => "kind",
        Component::Resource => "resource_kind",
        Component::Prompt => "prompt_kind",
    };
    let kind = Ident::new(kind, span);
    let check_value = match output_schema(handler) {
        Some(schema) => {
            let schema_span = schema.span();
            let private = private_at(schema_span);
            let schema = quote_spanned! {schema_span=>
                static __SCHEMA: #private::OutputSchema = #private::OutputSchema::new::<#schema>();
            };
            let value = quote_spanned!(span=> let #value = #split.value().composed().with_output_schema(&__SCHEMA););
            quote!(#schema #value)
        }
        None => quote_spanned!(span=> let #value = (&&&&#split.value()).#kind().checked();),
    };
    let check_error = quote_spanned!(error_span=> let #error = (&&&#split.error()).kind().checked(););
    quote!(#alias #split_at #check_value #check_error)
}

/// Returns the type of the option `output_schema`.
fn output_schema<'a>(handler: &'a Handler<'_>) -> Option<&'a Type> {
    match &handler.options.specific {
        SpecificOptions::Tool(options) => options.output_schema.as_ref().map(|schema| &schema.value),
        _ => None,
    }
}

/// Generates the call: resolves the parameters and runs the function. `run` has the span of the function's name, where
/// rustc then reports a future that is not `Send`.
fn expand_call(handler: &Handler<'_>, slots: &[Ident]) -> TokenStream {
    let name = handler.ident();
    let owner = handler.owner.as_ref().map(|owner| quote!(#owner::));
    let arguments = handler.parameters.iter().zip(slots).enumerate();
    let arguments = arguments.map(|(index, (parameter, slot))| expand_argument(index, parameter, slot));
    let call = quote!(#owner #name(#(#arguments),*));
    let is_lent = handler.output.ty.is_some_and(is_borrowed);
    let output = output_name(handler);
    let lent_output = quote_spanned!(output.span()=> &#output);
    let private = private();
    // An output that borrows from the arguments cannot leave the block that owns them, so its result is rendered there.
    let finish = |value: TokenStream| match is_lent {
        true => quote!(#private::render(#lent_output, #value)),
        false => quote!(::core::result::Result::Ok(#value)),
    };
    let body = match handler.execution() {
        Execution::Async => {
            let value = finish(quote!(__value));
            quote!(let __value = #call.await; #value)
        }
        Execution::Inline => {
            let value = finish(quote!(__value));
            quote!(let __value = #call; #value)
        }
        Execution::Blocking if is_lent => {
            let value = finish(call);
            quote!(#private::run_blocking(__context, move || #value).await?)
        }
        Execution::Blocking => quote!(#private::run_blocking(__context, move || #call).await),
        Execution::BlockingAsync if is_lent => {
            let value = finish(quote!(#call.await));
            quote!(#private::run_blocking_async(__context, move || async move { #value }).await?)
        }
        Execution::BlockingAsync => {
            quote!(#private::run_blocking_async(__context, move || async move { #call.await }).await)
        }
    };
    // With the span of the name, because rustc reports what the future cannot hold at the future.
    let statements = quote! {{
        #(let #slots = #slots.resolve(&__context).await?;)*
        #body
    }};
    let statements = statements.into_iter().map(|mut block| {
        block.set_span(name.span());
        block
    });
    let statements: TokenStream = statements.collect();
    let future = quote_spanned!(name.span()=> async move #statements);
    match is_lent {
        true => {
            let run = Ident::new("run_rendered", name.span());
            quote!(__call.#run(#future))
        }
        false => {
            let run = Ident::new("run", name.span());
            quote!(__call.#run(#output, #future))
        }
    }
}

fn expand_argument(index: usize, parameter: &Parameter<'_>, slot: &Ident) -> TokenStream {
    let span = parameter.ty.span();
    match parameter.ownership {
        Ownership::Owned => quote!(#slot),
        Ownership::Borrowed(ty) => {
            let ty = match parameter.is_receiver() {
                true => replace_lifetimes(ty.to_token_stream()),
                false => type_alias(index, span).into_token_stream(),
            };
            quote_spanned!(span=> ::core::borrow::Borrow::<#ty>::borrow(&#slot))
        }
        Ownership::OptionBorrowed(ty) => {
            let ty = replace_lifetimes(ty.to_token_stream());
            quote_spanned!(span=> #slot.as_ref().map(::core::borrow::Borrow::<#ty>::borrow))
        }
    }
}
