//! The kinds of component that a function can become: tool, resource or prompt.

use std::fmt;

use syn::Attribute;

/// The kind of component that an attribute makes of a function; displayed as its name in messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Component {
    Tool,
    Resource,
    Prompt,
}

impl Component {
    pub(crate) const ALL: [Component; 3] = [Component::Tool, Component::Resource, Component::Prompt];

    /// The component that an attribute on a function names: `#[mcp::tool]`, `#[fastmcp_rs::mcp::tool]`.
    pub(crate) fn from_attribute(attribute: &Attribute) -> Option<Self> {
        let mut segments = attribute.path().segments.iter().rev();
        let name = segments.next()?;
        let module = segments.next()?;
        (module.ident == "mcp").then(|| Self::ALL.into_iter().find(|component| name.ident == component.to_string()))?
    }

    /// The component that an attribute on a method under `#[mcp::server]` names, where `#[tool]` is enough.
    pub(crate) fn from_method_attribute(attribute: &Attribute) -> Option<Self> {
        let is_short = |component: &Self| attribute.path().is_ident(&component.to_string());
        Self::ALL.into_iter().find(is_short).or_else(|| Self::from_attribute(attribute))
    }

    /// The meaning of an argument's name, after "an argument needs a name, which is ..".
    pub(crate) fn name_meaning(self) -> &'static str {
        match self {
            Component::Tool => "its key in the input",
            Component::Resource => "the name of a variable of the URI",
            Component::Prompt => "the name that clients use",
        }
    }

    /// The reason why the types of the parameters are fixed, after "a tool ..".
    pub(crate) fn inputs_reason(self) -> &'static str {
        match self {
            Component::Tool => "has one input schema",
            Component::Resource => "has one type for each variable of its URI",
            Component::Prompt => "has one type for each argument",
        }
    }

    /// The reason why the output has one type, after "a tool names the type that it returns".
    pub(crate) fn output_reason(self) -> &'static str {
        match self {
            Component::Tool => ", because its output schema is made from it",
            Component::Resource => ", because its MIME type can depend on it",
            Component::Prompt => "",
        }
    }

    /// The source of the argument values, after "an argument ..". It limits the types that arguments can have.
    pub(crate) fn argument_source(self) -> &'static str {
        match self {
            Component::Tool => "comes from JSON",
            Component::Resource => "comes from a URI",
            Component::Prompt => "comes from a client",
        }
    }

    /// The purpose of the description, after "a tool has no description: ..".
    pub(crate) fn description_purpose(self) -> &'static str {
        match self {
            Component::Tool => "a model uses it to decide when to call the tool",
            Component::Resource => "clients use it to choose resources",
            Component::Prompt => "clients show it beside the prompt",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Component::Tool => "tool",
            Component::Resource => "resource",
            Component::Prompt => "prompt",
        })
    }
}
