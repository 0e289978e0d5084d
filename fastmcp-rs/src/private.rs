//! What the macros' expansions name. It is no part of the public interface: the two crates are pinned to
//! one version of each other.

pub use inventory;
pub use schemars;
pub use serde;

pub use crate::component::arguments::{ArgumentError, JsonReader};
pub use crate::component::completion::{
    Candidates, Complete, Completing, CompletionFuture, CompletionHandler, complete,
};
pub use crate::component::description::Description;
pub use crate::component::form::{FieldOf, Form, FormChoice, FormField, FormMember};
pub use crate::component::inject::State;
pub use crate::component::invocation::{Call, CallFuture, Invocation, Invoked};
pub use crate::component::members::model_serde;
pub use crate::component::options::{BoundsOf, DefaultOf, Header};
pub use crate::component::output::{
    ErrorKind, HandlerError, Output, OutputDescription, OutputKind, Rendered, StructuredOutput, render,
};
pub use crate::component::parameter::{Input, Lend, Slot, ToolArgument, receiver};
pub use crate::component::prompt::{IntoMessages, Prompt, PromptDefinition, RegisteredPrompt};
pub use crate::component::resource::{RegisteredResource, Resource, ResourceAnnotations, ResourceDefinition};
pub use crate::component::server::Server;
pub use crate::component::tool::{
    Execution, IconDefinition, Location, Parameter, RegisteredTool, ResultOptions, Tool, ToolAnnotations,
    ToolDefinition,
};
pub use crate::protocol::CacheScope;
pub use crate::runtime::{Main, run_main};
pub use crate::schema::constraints::{Constraints, Number, check_field};

/// The traits by which method resolution looks at types. They are brought into scope without a name, so
/// that no type of the user's is hidden by them.
pub mod probe {
    pub use crate::component::options::probe::{
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

/// The default of a model's field.
///
/// # Panics
///
/// Panics if the text is not a `T`. The macro checks what it can, and the schema of a model is made when the
/// server starts, which calls this.
pub fn preset<T: serde::de::DeserializeOwned>(json: &'static str) -> T {
    match serde_json::from_str(json) {
        Ok(value) => value,
        Err(error) => panic!("the default {json} does not fit its field: {error}"),
    }
}
