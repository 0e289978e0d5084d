//! The methods that both eras share: lists, and what is asked of components.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::call::{CallFacts, Job};
use super::modern::unknown_method;
use super::{Connection, Dispatched, Request, fact, finish_frame};
use crate::component::answer::{Subject, unknown_resource};
use crate::component::completion::{CandidatesOutput, Completing};
use crate::component::invocation::Outcome;
use crate::protocol::Revision;
use crate::protocol::object::text;
use crate::protocol::write::{self, RpcError};
use crate::registry::{Handler, List, Listed};

impl Connection {
    /// Serves a method of the components; one whose capability is not offered is not found.
    pub(super) fn components(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let registry = request.registry;
        match request.method {
            method if !registry.offers.method(method) => Err(unknown_method(method)),
            "tools/call" => self.call_tool(request, facts, out),
            "tools/list" => self.list(&registry.tools, request, facts.revision, out),
            "resources/read" => self.read_resource(request, facts, out),
            "resources/list" => self.list(&registry.resources, request, facts.revision, out),
            "resources/templates/list" => self.list(&registry.templates, request, facts.revision, out),
            "prompts/get" => self.get_prompt(request, facts, out),
            "prompts/list" => self.list(&registry.prompts, request, facts.revision, out),
            "completion/complete" => self.complete(request, facts, out),
            method => Err(unknown_method(method)),
        }
    }

    fn list<T: Listed>(
        &self,
        list: &List<T>,
        request: &Request<'_>,
        revision: Revision,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let invalid = || RpcError::invalid_params("Invalid params: `cursor` must be one that an earlier page gave");
        let cursor = match request.frame.params().and_then(|params| params.cursor) {
            // Some clients send `null` for nothing.
            Some(raw) if raw.get() == "null" && !revision.is_modern() => None,
            Some(raw) => Some(text(raw).ok_or_else(invalid)?),
            None => None,
        };
        let page = list.page(revision, cursor.as_deref(), &self.server.server_info).ok_or_else(invalid)?;
        finish_frame(out, |out| write::result(out, request.id.as_str(), &page));
        Ok(Dispatched::Done)
    }

    fn call_tool(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let name = required(request, "name", |params| params.name)?;
        let tool = request
            .registry
            .tool(&name)
            .ok_or_else(|| RpcError::invalid_params(unknown("tool", &name, request.registry.nearest_tool(&name))))?;
        let arguments = arguments(request)?;
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let lenient = !self.server.config.strict_arguments;
        let job = job(&tool.handler, Subject::ToolCall { wrap: tool.wraps() });
        Ok(self.run(job, request, facts, out, |context| Self::invoke(&tool.handler, arguments, lenient, context)))
    }

    fn read_resource(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let uri = required(request, "uri", |params| params.uri)?;
        let (resource, values) =
            request.registry.resource(&uri).ok_or_else(|| unknown_resource(&uri, facts.revision))?;
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let subject = Subject::ResourceRead { uri: uri.into(), mime_type: resource.mime_type() };
        let arguments = object_of_texts(values);
        let job = job(&resource.handler, subject);
        Ok(self.run(job, request, facts, out, |context| Self::invoke(&resource.handler, &arguments, true, context)))
    }

    fn get_prompt(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let name = required(request, "name", |params| params.name)?;
        let prompt = request.registry.prompts.find(&name).ok_or_else(|| {
            RpcError::invalid_params(unknown("prompt", &name, request.registry.nearest_prompt(&name)))
        })?;
        let arguments = arguments(request)?;
        // Arguments of prompts are strings; what else a parameter takes comes as JSON inside of them.
        if serde_json::from_str::<Texts>(arguments).is_err() {
            return Err(RpcError::invalid_params("Invalid params: each of a prompt's `arguments` must be a string"));
        }
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let job = job(&prompt.handler, Subject::PromptGet { description: prompt.about.description.clone() });
        Ok(self.run(job, request, facts, out, |context| Self::invoke(&prompt.handler, arguments, true, context)))
    }

    fn complete(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let wanted = Wanted::parse(request)?;
        let registry = request.registry;
        let handler = match wanted.reference {
            Reference::Prompt(name) => registry
                .prompts
                .find(&name)
                .map(|prompt| prompt.handler())
                .ok_or_else(|| RpcError::invalid_params(unknown("prompt", &name, registry.nearest_prompt(&name))))?,
            // A template by its own text, or by a URI that it has.
            Reference::Resource(uri) => match registry.templates.find(&uri) {
                Some(template) => template.handler(),
                None => match registry.resource(&uri) {
                    Some((resource, _)) => &resource.handler,
                    None => return Err(RpcError::invalid_params("Invalid params: there is no such resource template")),
                },
            },
        };
        let parameters = &handler.described.parameters;
        let parameter = parameters.iter().find(|parameter| parameter.name == wanted.argument).ok_or_else(|| {
            RpcError::invalid_params(format!("Invalid params: `{}` has no such argument", handler.name()))
        })?;
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let job = Job {
            component: &handler.shared,
            subject: Subject::Completion { text: wanted.value.as_str().into() },
            needs_request: true,
            timeout: None,
            pace: None,
        };
        let variants = || handler.variants(parameter.name).into_iter().flatten();
        let listed = || variants().filter_map(Value::as_str).map(str::to_owned).collect();
        let completing = Completing { text: wanted.value, arguments: wanted.arguments };
        Ok(self.run(job, request, facts, out, |context| {
            let candidates = parameter.complete.map(|complete| complete(completing, context()));
            let listed: Vec<String> = if candidates.is_none() { listed() } else { Vec::new() };
            Ok(Box::pin(async move {
                let result = match candidates {
                    Some(candidates) => candidates.await,
                    None => Ok(listed),
                };
                Outcome { result, output: CandidatesOutput }
            }))
        }))
    }
}

fn job(handler: &Handler, subject: Subject) -> Job<'_> {
    Job {
        component: &handler.shared,
        subject,
        needs_request: handler.described.needs_request,
        timeout: handler.timeout,
        pace: Some(&handler.pace),
    }
}

/// A parameter that must be a string.
pub(super) fn required<'a>(
    request: &Request<'a>,
    name: &str,
    member: impl Fn(&crate::protocol::frame::Params<'a>) -> Option<&'a RawValue>,
) -> Result<Cow<'a, str>, RpcError> {
    let value = request.frame.params().and_then(member).and_then(text);
    value.ok_or_else(|| {
        RpcError::invalid_params(format!("Invalid params: `{}` wants `{name}`, a string", request.method))
    })
}

/// The text of the arguments, which are an object.
fn arguments<'a>(request: &Request<'a>) -> Result<&'a str, RpcError> {
    match request.frame.params().and_then(|params| params.arguments).map(RawValue::get) {
        // Some clients send `null` for nothing.
        None | Some("null") => Ok("{}"),
        Some(object) if object.starts_with('{') => Ok(object),
        Some(_) => Err(RpcError::invalid_params("Invalid params: `arguments` must be an object")),
    }
}

fn unknown(noun: &str, name: &str, nearest: Option<&str>) -> String {
    // What comes from the peer is cut: an error is one short sentence.
    let shown: String = name.chars().take(128).collect();
    match nearest {
        Some(nearest) => format!("Unknown {noun}: {shown}; did you mean \"{nearest}\"?"),
        None => format!("Unknown {noun}: {shown}"),
    }
}

/// An object whose members are all strings, of which nothing is kept.
struct Texts;

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Texts)
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Texts;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value::<Text>()?;
        }
        Ok(Texts)
    }
}

struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

impl Visitor<'_> for Text {
    type Value = Text;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E>(self, _: &str) -> Result<Text, E> {
        Ok(Text)
    }
}

fn object_of_texts(values: BTreeMap<&str, String>) -> String {
    let members: Map<String, Value> = values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    Value::from(members).to_string()
}

/// What `completion/complete` asks for.
struct Wanted {
    reference: Reference,
    argument: String,
    value: String,
    arguments: BTreeMap<String, String>,
}

enum Reference {
    Prompt(String),
    Resource(String),
}

impl Wanted {
    fn parse(request: &Request<'_>) -> Result<Wanted, RpcError> {
        let params = request.frame.params();
        let string = |object: &Value, member: &str| -> Result<String, RpcError> {
            let text = object.get(member).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| {
                RpcError::invalid_params(
                    "Invalid params: `completion/complete` wants `ref` and `argument`, as the specification has them",
                )
            })
        };
        let reference = fact(params.and_then(|params| params.reference), "ref")?;
        let argument = fact(params.and_then(|params| params.argument), "argument")?;
        let context = fact(params.and_then(|params| params.context), "context")?;
        let reference = match reference.get("type").and_then(Value::as_str) {
            Some("ref/prompt") => Reference::Prompt(string(&reference, "name")?),
            Some("ref/resource") => Reference::Resource(string(&reference, "uri")?),
            _ => {
                return Err(RpcError::invalid_params(
                    "Invalid params: `ref.type` must be `ref/prompt` or `ref/resource`",
                ));
            }
        };
        let known = context.get("arguments").and_then(Value::as_object).into_iter().flatten();
        let known = known.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Ok(Wanted {
            reference,
            argument: string(&argument, "name")?,
            value: string(&argument, "value")?,
            arguments: known.collect(),
        })
    }
}
