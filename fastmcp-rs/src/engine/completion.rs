//! `completion/complete`: its parameters, the component that they name, and the suggestions.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::component::arguments::text_values;
use crate::component::completion::CandidatesOutput;
use crate::component::completion_request::{CompletionRequest, CompletionUse};
use crate::component::describe::ArgumentInfo;
use crate::component::invocation::{BoxedCall, box_call};
use crate::component::result_writer::Subject;
use crate::context::Context;
use crate::engine::registry_view::RegistryView;
use crate::engine::request::read_member;
use crate::json::object::Raw;
use crate::protocol::frame::Params;
use crate::protocol::write::RpcError;
use crate::registry::{ComponentHandler, ListEntry};

/// The parameters of `completion/complete`.
#[derive(Clone, Copy, Default)]
pub(crate) struct CompletionParams<'a> {
    pub(crate) reference: Option<Raw<'a>>,
    pub(crate) argument: Option<Raw<'a>>,
    pub(crate) context: Option<Raw<'a>>,
}

impl<'a> From<&Params<'a>> for CompletionParams<'a> {
    fn from(params: &Params<'a>) -> CompletionParams<'a> {
        CompletionParams { reference: params.reference, argument: params.argument, context: params.context }
    }
}

impl CompletionParams<'_> {
    /// Returns the parameters as the text of a JSON object.
    pub(crate) fn to_json(self) -> String {
        let members = [("ref", self.reference), ("argument", self.argument), ("context", self.context)];
        let members = members.into_iter().filter_map(|(name, raw)| Some(format!(r#""{name}":{}"#, raw?.get())));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// The parsed parameters of `completion/complete`.
pub(crate) struct CompletionQuery {
    pub(crate) reference: CompletionReference,
    argument: String,
    value: String,
    arguments: BTreeMap<String, String>,
}

pub(crate) enum CompletionReference {
    Prompt(String),
    Resource(String),
}

impl CompletionReference {
    pub(crate) fn name(&self) -> &str {
        match self {
            CompletionReference::Prompt(name) | CompletionReference::Resource(name) => name,
        }
    }
}

impl CompletionQuery {
    pub(crate) fn parse(params: CompletionParams<'_>) -> Result<CompletionQuery, RpcError> {
        let string = |object: &Value, member: &str| -> Result<String, RpcError> {
            let text = object.get(member).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| {
                RpcError::invalid_params(
                    "Invalid params: `completion/complete` needs `ref` and `argument` as in the specification",
                )
            })
        };
        let reference = read_member(params.reference, "ref")?;
        let argument = read_member(params.argument, "argument")?;
        let context = read_member(params.context, "context")?;
        let reference = match reference.get("type").and_then(Value::as_str) {
            Some("ref/prompt") => CompletionReference::Prompt(string(&reference, "name")?),
            Some("ref/resource") => CompletionReference::Resource(string(&reference, "uri")?),
            _ => {
                return Err(RpcError::invalid_params(
                    "Invalid params: `ref.type` must be `ref/prompt` or `ref/resource`",
                ));
            }
        };
        let known = context.get("arguments").and_then(Value::as_object);
        Ok(CompletionQuery {
            reference,
            argument: string(&argument, "name")?,
            value: string(&argument, "value")?,
            arguments: known.map(text_values).unwrap_or_default(),
        })
    }

    pub(crate) fn subject(&self) -> Subject {
        Subject::Completion { text: self.value.as_str().into() }
    }

    /// Returns the component, and the parameter that is to be completed.
    pub(crate) fn resolve<'a>(
        &self,
        view: &RegistryView<'a>,
    ) -> Result<(&'a ComponentHandler, &'a ArgumentInfo), RpcError> {
        let handler = match &self.reference {
            CompletionReference::Prompt(name) => view.prompt(name)?.handler(),
            // A reference contains the text of a template, or a URI that matches it.
            CompletionReference::Resource(uri) => match view.template(uri) {
                Some(template) => template.handler(),
                None => match view.resource(uri) {
                    Some((resource, _)) => &resource.handler,
                    None => {
                        return Err(RpcError::invalid_params("Invalid params: unknown resource template"));
                    }
                },
            },
        };
        let parameters = &handler.described.parameters;
        let parameter = parameters.iter().find(|parameter| parameter.name == self.argument).ok_or_else(|| {
            RpcError::invalid_params(format!("Invalid params: `{}` does not have this argument", handler.name()))
        })?;
        Ok((handler, parameter))
    }

    /// Starts the search for candidates.
    pub(crate) fn start_completion(
        self,
        handler: &ComponentHandler,
        parameter: &ArgumentInfo,
        context: Context,
    ) -> BoxedCall {
        let variants = || handler.variants(&parameter.name).into_iter().flatten();
        let listed = || variants().filter_map(Value::as_str).map(str::to_owned).collect();
        let request = CompletionRequest { text: self.value, arguments: self.arguments };
        let candidates = parameter.complete.and_then(|complete| complete(CompletionUse::Call(request, context)));
        let listed: Vec<String> = if candidates.is_none() { listed() } else { Vec::new() };
        box_call(CandidatesOutput, async move {
            match candidates {
                Some(candidates) => candidates.await,
                None => Ok(listed),
            }
        })
    }
}
