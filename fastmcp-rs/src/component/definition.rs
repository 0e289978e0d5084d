//! Static data that the definitions of all kinds of components share, as the macros write it.
//!
//! Each type has a constant `EMPTY`, so that an expansion has only the members that the source sets.

use std::borrow::Cow;

use crate::component::completion_request::Complete;
use crate::schema::constraints::Constraints;

#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct IconDefinition {
    pub src: &'static str,
    pub mime_type: Option<&'static str>,
    pub sizes: &'static [&'static str],
    pub theme: Option<&'static str>,
}

impl IconDefinition {
    pub const EMPTY: IconDefinition = IconDefinition { src: "", mime_type: None, sizes: &[], theme: None };
}

/// A text of a definition: a literal from the source, or created at run time.
pub(crate) type DefinitionText = Cow<'static, str>;

/// The macro's data about a parameter.
#[doc(hidden)]
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub constraints: Constraints,
    pub default: Option<&'static str>,
    pub examples: &'static [&'static str],
    pub header: Option<&'static str>,
    pub complete: Option<Complete>,
}

impl Parameter {
    pub const EMPTY: Parameter = Parameter {
        name: "",
        title: None,
        description: "",
        constraints: Constraints::EMPTY,
        default: None,
        examples: &[],
        header: None,
        complete: None,
    };
}
