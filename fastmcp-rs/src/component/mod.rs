//! Tools, resources and prompts as the macros fill them in: parameters, injected values, results.
//!
//! The generated code holds data, function pointers and one generic call for each parameter; everything else is here, and
//! is not generic over the user's types wherever that can be avoided, so that a user's rebuild is quick. Each type of a
//! signature is checked once, by one function that is named at that type, so that a wrong type is one error at the right
//! place. The room knows a call's [`Context`](crate::Context), but no registry and no engine.
//!
//! Look here for the definitions that the macros write (`tool.rs`, `resource.rs`, `prompt.rs`), parameters
//! (`parameter.rs`), extractors (`extract.rs`), return types (`output.rs`), the writing of results and masked errors
//! (`result_writer.rs`), and components without macros (`dynamic/`).

pub(crate) mod arg_checks;
pub(crate) mod arguments;
pub(crate) mod client_arguments;
pub(crate) mod completion;
pub(crate) mod completion_request;
pub(crate) mod component_set;
pub(crate) mod computed_default;
pub(crate) mod definition;
pub(crate) mod describe;
pub(crate) mod dynamic;
pub(crate) mod extract;
pub(crate) mod flat_members;
pub(crate) mod flat_option;
pub(crate) mod flatten;
pub(crate) mod icon;
pub(crate) mod invocation;
pub(crate) mod metadata;
pub(crate) mod model;
pub(crate) mod model_names;
#[doc(hidden)]
pub mod option_docs;
pub(crate) mod output;
pub(crate) mod parameter;
pub(crate) mod prompt;
pub(crate) mod ranking;
pub(crate) mod request_extractors;
pub(crate) mod resource;
pub(crate) mod result_writer;
pub(crate) mod slot;
pub(crate) mod template;
pub(crate) mod tool;
pub(crate) mod unknown_members;
pub(crate) mod uri_template;
