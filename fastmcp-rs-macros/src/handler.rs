//! A tool, a resource or a prompt as the user wrote it, sorted into what the expansion needs.
//!
//! It borrows from the parsed item, so that every later error can point at real source.

use proc_macro2::Ident;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{FnArg, Pat, ReturnType, Type};

use crate::component::Component;
use crate::errors::Errors;
use crate::parse::{ArgOptions, Description, FnItem, HandlerOptions, SpecificOptions, Template, read_doc_comments};
use crate::types::{as_reference, generic_arguments};

/// A function that clients reach.
pub(crate) struct Handler<'a> {
    pub(crate) item: &'a FnItem,
    pub(crate) options: HandlerOptions,
    pub(crate) description: Description,
    pub(crate) parameters: Vec<Parameter<'a>>,
    pub(crate) output: Output<'a>,
    /// The type whose method it is.
    pub(crate) owner: Option<Ident>,
}

/// One named parameter of the function.
pub(crate) struct Parameter<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) description: Description,
    pub(crate) options: ArgOptions,
    pub(crate) ty: &'a Type,
    pub(crate) ownership: Ownership<'a>,
}

/// What the runtime takes a parameter for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    /// Injected if its type is that of an injected value, else an argument.
    TypeDependent,
    /// The URI template has a variable of its name.
    Variable,
    /// It has none, so the type has to be that of an injected value.
    Injected,
    /// The state whose method this is.
    Receiver,
}

/// How the function wants the value that the runtime holds.
pub(crate) enum Ownership<'a> {
    /// `x: T`
    Owned,
    /// `x: &T`: the runtime holds what `T` is borrowed from.
    Borrowed(&'a Type),
    /// `x: Option<&T>`
    OptionBorrowed(&'a Type),
}

pub(crate) struct Output<'a> {
    /// None when the function says nothing, and so returns `()`.
    pub(crate) ty: Option<&'a Type>,
    /// `T` and `E`, when the type is spelled `Result<T, E>`.
    pub(crate) value: Option<&'a Type>,
    pub(crate) error: Option<&'a Type>,
}

/// How the runtime calls the function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Execution {
    Async,
    Inline,
    Blocking,
    BlockingAsync,
}

impl<'a> Handler<'a> {
    /// Sorts the parts; a parameter without a name is reported and left out.
    pub(crate) fn new(item: &'a FnItem, mut options: HandlerOptions, errors: &mut Errors) -> Self {
        let documented = read_doc_comments(&item.attributes);
        let description = options.description.take().unwrap_or(documented);
        let component = options.component();
        let inputs = item.signature.inputs.iter();
        let parameters = inputs.filter_map(|input| Parameter::new(input, component, errors)).collect();
        Self {
            item,
            options,
            description,
            parameters,
            output: Output::from_return_type(&item.signature.output),
            owner: None,
        }
    }

    /// The same as a method of a type.
    pub(crate) fn into_method(self, owner: Ident) -> Self {
        Self { owner: Some(owner), ..self }
    }

    pub(crate) fn component(&self) -> Component {
        self.options.component()
    }

    pub(crate) fn ident(&self) -> &'a Ident {
        &self.item.signature.ident
    }

    /// The name that clients see.
    pub(crate) fn name(&self) -> String {
        match &self.options.name {
            Some(name) => name.value(),
            None => self.ident().unraw().to_string(),
        }
    }

    /// The type that stands for it, as in `App::tool::<..>()`.
    pub(crate) fn handle(&self) -> Ident {
        match (&self.options.handle, &self.owner) {
            (Some(handle), _) => handle.clone(),
            (None, None) => self.ident().clone(),
            // It stands inside a block of ours, where it must not hide what the signature names.
            (None, Some(_)) => format_ident!("__{}", self.ident().unraw(), span = self.ident().span()),
        }
    }

    /// The URI of a resource, if it was given.
    pub(crate) fn uri(&self) -> Option<&Template> {
        match &self.options.specific {
            SpecificOptions::Resource(options) => options.uri.as_ref(),
            SpecificOptions::Tool(_) | SpecificOptions::Prompt => None,
        }
    }

    /// What the parameter has to be, where that is not its type's to say.
    pub(crate) fn role(&self, parameter: &Parameter<'_>) -> Role {
        if parameter.is_receiver() {
            return Role::Receiver;
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
        let is_on = |flag: &Option<crate::parse::Flag>| flag.as_ref().is_some_and(|flag| flag.on);
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
    fn new(input: &'a FnArg, component: Component, errors: &mut Errors) -> Option<Self> {
        // Receivers are reported with the signature.
        let FnArg::Typed(typed) = input else {
            return None;
        };
        let options = ArgOptions::parse(&typed.attrs, errors);
        let ident = match &*typed.pat {
            Pat::Ident(pattern) => &pattern.ident,
            unnamed => {
                let name = suggest_name(&typed.ty);
                let ty = format_type(&typed.ty);
                let rest = match unnamed {
                    Pat::Wild(_) => "or remove the argument",
                    _ => "and take it apart in the body",
                };
                errors.at(
                    unnamed,
                    format!(
                        "an argument needs a name, which is {}: write `{name}: {ty}`, {rest}",
                        component.meaning_of_names()
                    ),
                );
                return None;
            }
        };
        Some(Self {
            ident,
            description: read_doc_comments(&typed.attrs),
            options,
            ty: &typed.ty,
            ownership: Ownership::from_type(&typed.ty),
        })
    }

    /// Whether it is the `self` of a method.
    pub(crate) fn is_receiver(&self) -> bool {
        self.ident == "self"
    }

    /// The key of the argument in the input.
    pub(crate) fn name(&self) -> String {
        match &self.options.rename {
            Some(rename) => rename.value(),
            None => self.ident.unraw().to_string(),
        }
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

/// A name for an argument of this type: `order_line` for a user's own `OrderLine`, else `value`.
fn suggest_name(ty: &Type) -> String {
    const STD: &[&str] = &["String", "Option", "Vec", "Box", "HashMap", "BTreeMap", "HashSet", "BTreeSet"];
    let ty = match as_reference(ty) {
        Some(reference) => &reference.elem,
        None => ty,
    };
    let Type::Path(path) = crate::types::strip_groups(ty) else {
        return "value".to_owned();
    };
    let name = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    let is_own = name.starts_with(|first: char| first.is_ascii_uppercase());
    if !is_own || STD.contains(&name.as_str()) {
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

/// The type as a user would write it: `quote` puts a space between all tokens.
fn format_type(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, tight) in
        [(" < ", "<"), (" <", "<"), (" >", ">"), ("< ", "<"), (" :: ", "::"), (" ,", ","), ("& ", "&")]
    {
        text = text.replace(spaced, tight);
    }
    text
}
