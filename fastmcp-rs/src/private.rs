//! Items that the expansions of the macros name. They are not part of the public interface: the two crates are pinned
//! to one version of each other.

/// The same type. An expansion names a type in angle brackets by it.
pub type Same<T> = T;

/// The type of names in `JsonSchema`.
pub type SchemaText = std::borrow::Cow<'static, str>;

pub use fastmcp_rs_macros::ModelAttributes;
pub use inventory;
// In an expansion, editors follow absolute paths such as `::core::line` from the tokens of the source.
pub use schemars;
pub use serde;
pub use std::default::Default;
pub use std::{file, line};

pub use crate::app::main_runtime::{Main, run_main};
pub use crate::checks::problem::Location;
pub use crate::client_features::form::{FieldOf, FieldType, Form, FormChoice, FormField, FormMember};
pub use crate::component::arg_checks::{BoundsOf, DefaultOf, Header};
pub use crate::component::arguments::ArgumentError;
pub use crate::component::completion::{Candidates, CompletionHandler, complete};
pub use crate::component::completion_request::{Complete, CompletionFuture, CompletionRequest, CompletionUse};
pub use crate::component::component_set::{ServerBlockWithoutExtend, ServerExtension};
pub use crate::component::computed_default::IntoDefault;
pub use crate::component::definition::{IconDefinition, Parameter};
pub use crate::component::describe::Description;
pub use crate::component::extract::State;
pub use crate::component::flat_option::flat_option;
pub use crate::component::invocation::{Call, CallFuture, Invocation, InvocationResult};
pub use crate::component::metadata::{AttachedLayers, ComponentDefinition};
pub use crate::component::model::probe::UnfitModel;
pub use crate::component::model::{
    FieldFit, InputOnly, OutputOnly, SchemaFunctions, SchemaOf, input_field, model_field, output_field, preset,
};
pub use crate::component::model_names::{NamedVariants, NamesOf, UnknownNameError, is_accepted, unknown_name};
pub use crate::component::option_docs as options;
pub use crate::component::output::{
    ErrorKind, HandlerError, Output, OutputDescription, OutputKind, OutputSchema, RenderedResult as Rendered,
    StructuredOutput, render,
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
pub use crate::error::{ClassifyError, RegisteredError, ToolError, TypedError, convert_typed};
pub use crate::middleware::attached::add_layer;
pub use crate::protocol::CacheScope;
pub use crate::schema::constraints::{Constraints, check_field};
pub use crate::schema::number::Number;
pub use crate::schema::publish::ResultContent;

/// The traits by which method resolution inspects types. They are brought into scope without a name, so that they hide
/// no type of the user.
pub mod probe {
    pub use crate::component::arg_checks::probe::{
        AnyBounds as _, KnownDefaultType as _, KnownHeaderType as _, UnknownDefaultType as _, UnknownHeaderType as _,
    };
    pub use crate::component::model_names::probe::NamelessType as _;
    pub use crate::component::output::probe::{
        BytesType as _, ContentType as _, ConvertedErrorType as _, FallibleType as _, InfallibleType as _,
        InputOnlyType as _, KnownErrorType as _, OtherErrorType as _, OtherType as _, ScalarType as _,
        StructuredType as _, WithContentType as _,
    };
    pub use crate::component::parameter::probe::{ArgumentInput as _, InjectedInput as _, OutputOnlyInput as _};
    pub use crate::component::prompt::probe::MessagesType as _;
    pub use crate::component::resource::probe::{ContentsType as _, JsonType as _};
}

/// The traits of the hidden copies of models.
pub mod model_probe {
    pub use crate::component::model::probe::{UnfitField as _, UnfitModel as _, UnfitSchema as _, UnfitValue as _};
}

/// Stands for the type of rmcp that the macros have reported, so that rustc does not report it too.
pub struct Parameters<T>(pub T);

impl<T> std::ops::Deref for Parameters<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
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
