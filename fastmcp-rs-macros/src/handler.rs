//! A tool, resource or prompt function, sorted into the parts that its expansion needs.
//!
//! [`Handler`] borrows from the parsed item, so that later errors can point at the user's source.

use std::borrow::Cow;

use proc_macro2::{Ident, Span};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, Pat, ReturnType, Type};

use crate::component::Component;
use crate::errors::Errors;
use crate::parse::{
    ArgOptions, Description, Flag, FnItem, HandlerOptions, RenameRule, SpecificOptions, Template,
    find_wrapped_parameters, read_doc_comments, wrapped_parameters_message,
};
use crate::types::{Shape, as_reference, generic_arguments, strip_groups};

/// A function that clients call through the protocol.
pub(crate) struct Handler<'a> {
    pub(crate) item: &'a FnItem,
    pub(crate) options: HandlerOptions,
    pub(crate) description: Description,
    pub(crate) parameters: Vec<Parameter<'a>>,
    pub(crate) output: Output<'a>,
    /// Alias of the `impl` block's type; none for a free function.
    pub(crate) owner: Option<Ident>,
}

/// A parameter of the function.
pub(crate) struct Parameter<'a> {
    /// The name; a generated one for a parameter with a pattern.
    pub(crate) ident: Cow<'a, Ident>,
    /// The span of the pattern of a parameter without a name.
    pub(crate) pattern: Option<Span>,
    pub(crate) description: Description,
    pub(crate) options: ArgOptions,
    pub(crate) ty: &'a Type,
    pub(crate) ownership: Ownership<'a>,
    /// The rule for the argument's name.
    pub(crate) rule: Option<RenameRule>,
}

/// The source of a parameter's value at run time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    /// Decided by the runtime's traits: an injected value if the type is one, otherwise an argument.
    TypeDependent,
    /// A variable of the URI template.
    Variable,
    /// An injected value, because the URI template has no variable of that name.
    Injected,
    /// An injected value that the function destructures, because only arguments need a name.
    Pattern,
    /// The state that a method receives as `self`.
    Receiver,
}

/// The form in which the function takes a value that the runtime owns.
pub(crate) enum Ownership<'a> {
    /// `x: T`
    Owned,
    /// `x: &T`, borrowed from the value that the runtime owns.
    Borrowed(&'a Type),
    /// `x: Option<&T>`, borrowed from the `Option` that the runtime owns.
    OptionBorrowed(&'a Type),
}

/// The return type of the function.
pub(crate) struct Output<'a> {
    /// The whole type; none for a function without `->`, which returns `()`.
    pub(crate) ty: Option<&'a Type>,
    /// `T` of a type spelled `Result<T, E>`.
    pub(crate) value: Option<&'a Type>,
    /// `E` of a type spelled `Result<T, E>`.
    pub(crate) error: Option<&'a Type>,
}

/// The way in which the runtime calls the function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Execution {
    /// Polls the future, first where requests are read.
    Async,
    /// Calls a plain function where requests are read.
    Inline,
    /// Calls a plain function on a thread for blocking work.
    Blocking,
    /// Drives the future on a thread for blocking work.
    BlockingAsync,
}

impl<'a> Handler<'a> {
    /// Sorts the parts of a function. Reports and omits parameters without a name.
    pub(crate) fn new(item: &'a FnItem, mut options: HandlerOptions, errors: &mut Errors) -> Self {
        let documented = read_doc_comments(&item.attributes);
        let description = options.description.take().unwrap_or(documented);
        let component = options.component();
        let inputs = item.signature.inputs.iter();
        let parameters =
            inputs.filter_map(|input| Parameter::new(input, component, options.rename_all, errors)).collect();
        Self {
            item,
            options,
            description,
            parameters,
            output: Output::from_return_type(&item.signature.output),
            owner: None,
        }
    }

    /// Converts the handler into a method of the type that `owner` names.
    pub(crate) fn into_method(self, owner: Ident) -> Self {
        Self { owner: Some(owner), ..self }
    }

    pub(crate) fn component(&self) -> Component {
        self.options.component()
    }

    pub(crate) fn ident(&self) -> &'a Ident {
        &self.item.signature.ident
    }

    /// Returns the name that clients see.
    pub(crate) fn name(&self) -> String {
        match &self.options.name {
            Some(name) => name.value(),
            None => {
                let name = self.ident().unraw().to_string();
                self.options.rename_self.map_or_else(|| name.clone(), |rule| rule.apply(&name))
            }
        }
    }

    /// Returns the name of the handle, the type that registers the component, as in `App::tool::<..>()`.
    pub(crate) fn handle(&self) -> Ident {
        match (&self.options.handle, &self.owner) {
            (Some(handle), _) => handle.clone(),
            (None, None) => self.ident().clone(),
            // The handle is declared in the generated block, where it must not shadow a type of the signature.
            (None, Some(_)) => format_ident!("__{}", self.ident().unraw(), span = self.ident().span()),
        }
    }

    /// Returns the URI of a resource; none for other components, and if it is missing.
    pub(crate) fn uri(&self) -> Option<&Template> {
        match &self.options.specific {
            SpecificOptions::Resource(options) => options.uri.as_ref(),
            SpecificOptions::Tool(_) | SpecificOptions::Prompt => None,
        }
    }

    /// Returns the source of a parameter's value.
    pub(crate) fn role(&self, parameter: &Parameter<'_>) -> Role {
        if parameter.is_receiver() {
            return Role::Receiver;
        }
        if parameter.pattern.is_some() {
            return Role::Pattern;
        }
        let name = parameter.name();
        match self.component() {
            Component::Tool | Component::Prompt => Role::TypeDependent,
            Component::Resource => {
                let mut variables = self.uri().into_iter().flat_map(|uri| &uri.variables);
                match variables.any(|variable| variable.name == name) {
                    true => Role::Variable,
                    false => Role::Injected,
                }
            }
        }
    }

    pub(crate) fn execution(&self) -> Execution {
        let is_on = |flag: &Option<Flag>| flag.as_ref().is_some_and(|flag| flag.on);
        let is_async = self.item.signature.asyncness.is_some();
        if is_on(&self.options.inline) {
            Execution::Inline
        } else if !is_async {
            Execution::Blocking
        } else if is_on(&self.options.blocking) {
            Execution::BlockingAsync
        } else {
            Execution::Async
        }
    }
}

impl<'a> Parameter<'a> {
    fn new(input: &'a FnArg, component: Component, rule: Option<RenameRule>, errors: &mut Errors) -> Option<Self> {
        // `validate::signature` reports receivers.
        let FnArg::Typed(typed) = input else {
            return None;
        };
        let options = ArgOptions::parse(&typed.attrs, errors);
        if let Some(inner) = find_wrapped_parameters(&typed.ty) {
            errors.at(&typed.ty, wrapped_parameters_message(inner));
            return None;
        }
        let (ident, pattern) = match &*typed.pat {
            Pat::Ident(pattern) => (Cow::Borrowed(&pattern.ident), None),
            pattern if !is_spelled_argument(&typed.ty) => {
                let span = pattern.span();
                (Cow::Owned(Ident::new("__pattern", span)), Some(span))
            }
            unnamed => {
                let name = suggest_name(&typed.ty);
                let ty = format_type(&typed.ty);
                let fix = match unnamed {
                    Pat::Wild(_) => "or remove the argument",
                    _ => "and destructure it in the body",
                };
                errors.at(
                    unnamed,
                    format!(
                        "an argument needs a name, which is {}: write `{name}: {ty}`, {fix}",
                        component.name_meaning()
                    ),
                );
                return None;
            }
        };
        Some(Self {
            ident,
            pattern,
            description: read_doc_comments(&typed.attrs),
            options,
            ty: &typed.ty,
            ownership: Ownership::from_type(&typed.ty),
            rule,
        })
    }

    /// Returns whether the parameter is the `self` of a method.
    pub(crate) fn is_receiver(&self) -> bool {
        *self.ident == "self"
    }

    /// Returns the key of the argument in the input.
    pub(crate) fn name(&self) -> String {
        match &self.options.rename {
            Some(rename) => rename.value(),
            None => {
                let mut name = self.ident.unraw().to_string();
                if self.has_underscore() {
                    name.remove(0);
                }
                self.rule.map_or_else(|| name.clone(), |rule| rule.apply(&name))
            }
        }
    }

    /// Returns whether the name begins with one underscore, by which Rust marks unused parameters. The argument's name
    /// does not have it, so that clients do not see whether the function uses the argument.
    pub(crate) fn has_underscore(&self) -> bool {
        let name = self.ident.to_string();
        let is_marked =
            name.strip_prefix('_').is_some_and(|rest| rest.starts_with(|first: char| first.is_alphabetic()));
        is_marked && self.pattern.is_none()
    }
}

impl<'a> Ownership<'a> {
    fn from_type(ty: &'a Type) -> Self {
        if let Some(reference) = as_reference(ty) {
            return Ownership::Borrowed(&reference.elem);
        }
        let arguments = generic_arguments(ty, "Option").unwrap_or_default();
        match arguments.as_slice() {
            [inner] => match as_reference(inner) {
                Some(reference) => Ownership::OptionBorrowed(&reference.elem),
                None => Ownership::Owned,
            },
            _ => Ownership::Owned,
        }
    }
}

impl<'a> Output<'a> {
    fn from_return_type(output: &'a ReturnType) -> Self {
        let ty = match output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(&**ty),
        };
        let arguments = ty.and_then(|ty| generic_arguments(ty, "Result")).unwrap_or_default();
        let (value, error) = match arguments.as_slice() {
            [value, error] => (Some(*value), Some(*error)),
            _ => (None, None),
        };
        Self { ty, value, error }
    }
}

/// Returns whether a type is spelled like one that is never injected.
fn is_spelled_argument(ty: &Type) -> bool {
    let ty = as_reference(ty).map_or(ty, |reference| &reference.elem);
    Shape::from_type(ty) != Shape::Unknown || matches!(strip_groups(ty), Type::Tuple(_))
}

/// Suggests a name for an argument: `order_line` for a user's type `OrderLine`, otherwise `value`.
fn suggest_name(ty: &Type) -> String {
    const STD_TYPES: &[&str] = &["String", "Option", "Vec", "Box", "HashMap", "BTreeMap", "HashSet", "BTreeSet"];
    let ty = match as_reference(ty) {
        Some(reference) => &reference.elem,
        None => ty,
    };
    let Type::Path(path) = strip_groups(ty) else {
        return "value".to_owned();
    };
    let name = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    let is_own = name.starts_with(|first: char| first.is_ascii_uppercase());
    if !is_own || STD_TYPES.contains(&name.as_str()) {
        return "value".to_owned();
    }
    let mut snake = String::new();
    for (index, character) in name.chars().enumerate() {
        if character.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    match syn::parse_str::<Ident>(&snake) {
        Ok(_) => snake,
        Err(_) => "value".to_owned(),
    }
}

/// Formats a type as users write it, without the spaces that `quote` puts between tokens.
fn format_type(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, tight) in
        [(" < ", "<"), (" <", "<"), (" >", ">"), ("< ", "<"), (" :: ", "::"), (" ,", ","), ("& ", "&")]
    {
        text = text.replace(spaced, tight);
    }
    text
}
