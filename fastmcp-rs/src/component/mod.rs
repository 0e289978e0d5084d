//! Components as the macros generate them: tools, resources and prompts, with their parameters, injected values and
//! results.
//!
//! Generated code contains data, function pointers and one generic call per parameter; everything else is here, and is
//! not generic over the user's types wherever possible, so that a user's rebuild is fast. Each type of a signature is
//! checked once, by one function whose call has the span of that type, so that a wrong type is one error in the right
//! place.

pub(crate) mod about;
pub(crate) mod added;
pub(crate) mod answer;
pub(crate) mod arguments;
pub(crate) mod completion;
pub(crate) mod description;
pub(crate) mod dynamic;
pub(crate) mod form;
pub(crate) mod icon;
pub(crate) mod inject;
pub(crate) mod invocation;
pub(crate) mod members;
pub(crate) mod options;
pub(crate) mod output;
pub(crate) mod parameter;
pub(crate) mod prompt;
pub(crate) mod resource;
pub(crate) mod result;
pub(crate) mod server;
pub(crate) mod template;
pub(crate) mod tool;
