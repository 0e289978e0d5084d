//! What clients can reach a function as.

use std::fmt;

use syn::Attribute;

/// Which of the attributes stands on a function; shown as its name.
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

    /// What the name of an argument is.
    pub(crate) fn meaning_of_names(self) -> &'static str {
        match self {
            Component::Tool => "its key in the input",
            Component::Resource => "that of a variable of the URI",
            Component::Prompt => "the one that clients know it by",
        }
    }

    /// Why its parameters' types are fixed, after "a tool ..".
    pub(crate) fn fixed_inputs(self) -> &'static str {
        match self {
            Component::Tool => "has one input schema",
            Component::Resource => "has one type for each variable of its URI",
            Component::Prompt => "has one type for each argument",
        }
    }

    /// Why its output's type is fixed, after "a tool names the type that it returns".
    pub(crate) fn fixed_output(self) -> &'static str {
        match self {
            Component::Tool => ", as its output schema is made from it",
            Component::Resource => ", as its MIME type may follow from it",
            Component::Prompt => "",
        }
    }

    /// Where the values of its arguments come from, which bounds what types they can have.
    pub(crate) fn origin(self) -> &'static str {
        match self {
            Component::Tool => "comes from JSON",
            Component::Resource => "comes from a URI",
            Component::Prompt => "comes from a client",
        }
    }

    /// Who needs its description, and what for.
    pub(crate) fn need_for_description(self) -> &'static str {
        match self {
            Component::Tool => "a model reads it to decide when to call",
            Component::Resource => "clients choose by it what to read",
            Component::Prompt => "clients show it to those who choose a prompt",
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
