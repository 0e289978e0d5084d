//! One parameter of a call: described at start, and filled for each call.

use serde_json::de::StrRead;

use crate::component::definition::Parameter;
use crate::component::describe::Description;
use crate::component::flat_members::FlatMembers;

/// One parameter of one invocation, used as a trait object so that the code that reads arguments is compiled once. The
/// default methods are those of a parameter that the server provides.
#[doc(hidden)]
pub trait Slot {
    /// Returns the macro's data about the parameter, if it is an argument.
    fn argument(&self) -> Option<&'static Parameter> {
        None
    }
    fn is_filled(&self) -> bool {
        true
    }
    fn fill(&mut self, _reader: &mut JsonReader<'_>) -> serde_json::Result<()> {
        Ok(())
    }
    /// Returns the place for a text, if the parameter is a `String`.
    fn text(&mut self) -> Option<&mut Option<String>> {
        None
    }
    /// Fills in the default, or the value that the type has for an absent argument; returns `false` if there is
    /// neither.
    fn fill_absent(&mut self) -> bool {
        true
    }
    /// Returns the members for a struct whose fields are arguments, if the parameter is one.
    fn flat_members(&mut self) -> Option<&mut FlatMembers> {
        None
    }
    fn describe(&self, description: &mut Description);
}

/// A deserializer for one JSON value.
#[doc(hidden)]
pub type JsonReader<'de> = serde_json::Deserializer<StrRead<'de>>;
