//! `completion/complete`: its parameters, the component that they name, and the suggestions.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::component::arguments::texts;
use crate::component::completion::CandidatesOutput;
use crate::component::completion_request::Completing;
use crate::component::describe::Argument;
use crate::component::invocation::{Started, started};
use crate::component::result_writer::Subject;
use crate::context::Context;
use crate::engine::fact;
use crate::engine::visibility::Sight;
use crate::json::object::Raw;
use crate::protocol::frame::Params;
use crate::protocol::write::RpcError;
use crate::registry::{Handler, Listed};

/// The parameters of `completion/complete`.
#[derive(Clone, Copy, Default)]
pub(crate) struct AskedFor<'a> {
    pub(crate) reference: Option<Raw<'a>>,
    pub(crate) argument: Option<Raw<'a>>,
    pub(crate) context: Option<Raw<'a>>,
}

impl<'a> From<&Params<'a>> for AskedFor<'a> {
    fn from(params: &Params<'a>) -> AskedFor<'a> {
        AskedFor { reference: params.reference, argument: params.argument, context: params.context }
    }
}

impl AskedFor<'_> {
    /// Returns the parameters as the text of a JSON object.
    pub(crate) fn text(self) -> String {
        let members = [("ref", self.reference), ("argument", self.argument), ("context", self.context)];
        let members = members.into_iter().filter_map(|(name, raw)| Some(format!(r#""{name}":{}"#, raw?.get())));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// The parsed parameters of `completion/complete`.
pub(crate) struct Wanted {
    pub(crate) reference: Reference,
    argument: String,
    value: String,
    arguments: BTreeMap<String, String>,
}

pub(crate) enum Reference {
    Prompt(String),
    Resource(String),
}

impl Reference {
    pub(crate) fn name(&self) -> &str {
        match self {
            Reference::Prompt(name) | Reference::Resource(name) => name,
        }
    }
}

impl Wanted {
    pub(crate) fn parse(asked_for: AskedFor<'_>) -> Result<Wanted, RpcError> {
        let string = |object: &Value, member: &str| -> Result<String, RpcError> {
            let text = object.get(member).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| {
                RpcError::invalid_params(
                    "Invalid params: `completion/complete` wants `ref` and `argument`, as the specification has them",
                )
            })
        };
        let reference = fact(asked_for.reference, "ref")?;
        let argument = fact(asked_for.argument, "argument")?;
        let context = fact(asked_for.context, "context")?;
        let reference = match reference.get("type").and_then(Value::as_str) {
            Some("ref/prompt") => Reference::Prompt(string(&reference, "name")?),
            Some("ref/resource") => Reference::Resource(string(&reference, "uri")?),
            _ => {
                return Err(RpcError::invalid_params(
                    "Invalid params: `ref.type` must be `ref/prompt` or `ref/resource`",
                ));
            }
        };
        let known = context.get("arguments").and_then(Value::as_object);
        Ok(Wanted {
            reference,
            argument: string(&argument, "name")?,
            value: string(&argument, "value")?,
            arguments: known.map(texts).unwrap_or_default(),
        })
    }

    pub(crate) fn subject(&self) -> Subject {
        Subject::Completion { text: self.value.as_str().into() }
    }

    /// Returns the component, and the parameter that is to be completed.
    pub(crate) fn find<'a>(&self, sight: &Sight<'a>) -> Result<(&'a Handler, &'a Argument), RpcError> {
        let handler = match &self.reference {
            Reference::Prompt(name) => sight.prompt(name)?.handler(),
            // A reference contains the text of a template, or a URI that matches it.
            Reference::Resource(uri) => match sight.template(uri) {
                Some(template) => template.handler(),
                None => match sight.resource(uri) {
                    Some((resource, _)) => &resource.handler,
                    None => {
                        return Err(RpcError::invalid_params("Invalid params: there is no such resource template"));
                    }
                },
            },
        };
        let parameters = &handler.described.parameters;
        let parameter = parameters.iter().find(|parameter| parameter.name == self.argument).ok_or_else(|| {
            RpcError::invalid_params(format!("Invalid params: `{}` has no such argument", handler.name()))
        })?;
        Ok((handler, parameter))
    }

    /// Starts the search for candidates.
    pub(crate) fn start(self, handler: &Handler, parameter: &Argument, context: Context) -> Started {
        let variants = || handler.variants(&parameter.name).into_iter().flatten();
        let listed = || variants().filter_map(Value::as_str).map(str::to_owned).collect();
        let completing = Completing { text: self.value, arguments: self.arguments };
        let candidates = parameter.complete.map(|complete| complete(completing, context));
        let listed: Vec<String> = if candidates.is_none() { listed() } else { Vec::new() };
        started(CandidatesOutput, async move {
            match candidates {
                Some(candidates) => candidates.await,
                None => Ok(listed),
            }
        })
    }
}
