//! Items that the expansions of the macros name. They are not part of the public interface: the two crates are pinned
//! to one version of each other.

pub use inventory;
pub use schemars;
pub use serde;

pub use crate::app::main_runtime::{Main, run_main};
pub use crate::checks::problem::Location;
pub use crate::client_features::form::{FieldOf, FieldType, Form, FormChoice, FormField, FormMember};
pub use crate::component::arg_checks::{BoundsOf, DefaultOf, Header};
pub use crate::component::arguments::ArgumentError;
pub use crate::component::completion::{Candidates, CompletionHandler, complete};
pub use crate::component::completion_request::{Complete, CompletionFuture, CompletionRequest};
pub use crate::component::component_set::{ServerBlockWithoutExtend, ServerExtension};
pub use crate::component::definition::{IconDefinition, Parameter};
pub use crate::component::describe::Description;
pub use crate::component::extract::State;
pub use crate::component::invocation::{Call, CallFuture, Invocation, InvocationResult};
pub use crate::component::metadata::ComponentDefinition;
pub use crate::component::output::{
    ErrorKind, HandlerError, Output, OutputDescription, OutputKind, RenderedResult as Rendered, StructuredOutput,
    render,
};
pub use crate::component::parameter::{Input, Lend, ToolArgument, receiver};
pub use crate::component::prompt::{IntoMessages, PromptDefinition, PromptHandle, RegisteredPrompt};
pub use crate::component::resource::{
    RegisteredResource, ResourceAnnotations, ResourceDefinition, ResourceHandle, check_constant_uri,
};
pub use crate::component::slot::{JsonReader, Slot};
pub use crate::component::tool::{RegisteredTool, ResultOptions, ToolAnnotations, ToolDefinition, ToolHandle};
pub use crate::component::unknown_members::model_serde;
pub use crate::context::blocking::{run_blocking, run_blocking_async};
pub use crate::protocol::CacheScope;
pub use crate::schema::constraints::{Constraints, check_field};
pub use crate::schema::number::Number;

/// The traits by which method resolution inspects types. They are brought into scope without a name, so that they hide
/// no type of the user.
pub mod probe {
    pub use crate::component::arg_checks::probe::{
        AnyBounds as _, KnownDefaultType as _, KnownHeaderType as _, UnknownDefaultType as _, UnknownHeaderType as _,
    };
    pub use crate::component::output::probe::{
        BytesType as _, ContentType as _, FallibleType as _, InfallibleType as _, KnownErrorType as _,
        LoggedErrorType as _, OtherErrorType as _, ScalarType as _, StructuredType as _,
    };
    pub use crate::component::parameter::probe::{ArgumentInput as _, InjectedInput as _};
    pub use crate::component::prompt::probe::MessagesType as _;
    pub use crate::component::resource::probe::{ContentsType as _, JsonType as _};
}

/// Returns a value from the text that the macro created from a literal.
///
/// # Panics
///
/// Panics if the text is not JSON.
pub fn parse_json(json: &'static str) -> serde_json::Value {
    match serde_json::from_str(json) {
        Ok(value) => value,
        Err(error) => panic!("the macro generated invalid JSON, {json}: {error}"),
    }
}

/// Returns the default of a model's field.
///
/// # Panics
///
/// Panics if the text is not a `T`. The macro checks literals as far as it can, and the server calls this at start,
/// when it makes the schema of a model.
pub fn preset<T: serde::de::DeserializeOwned>(json: &'static str) -> T {
    match serde_json::from_str(json) {
        Ok(value) => value,
        Err(error) => panic!("the default {json} does not fit its field: {error}"),
    }
}
