//! The methods that both eras share: lists, and requests that address a component.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::component::result_writer::{Subject, unknown_resource};
use crate::engine::call::middleware::Asked;
use crate::engine::call::{CallFacts, Job, Reading};
use crate::engine::completion::{AskedFor, Wanted};
use crate::engine::header_match::check_arguments;
use crate::engine::stateless::unknown_method;
use crate::engine::visibility::Sight;
use crate::engine::{Connection, Dispatched, Request, finish_frame};
use crate::json::object::{Raw, text};
use crate::middleware::Kind;
use crate::protocol::Revision;
use crate::protocol::frame::Params;
use crate::protocol::write::{self, RpcError};
use crate::registry::{Handler, List, Listed};
use crate::telemetry::Target;

impl Connection {
    /// Serves a method of the components. A method whose capability is not offered is not found.
    pub(crate) fn components(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let registry = request.registry;
        match request.method {
            // The most frequent method comes first.
            "tools/call" if registry.offers.tools => self.call_tool(request, facts, out),
            method if !registry.offers.method(method) => Err(unknown_method(method)),
            "tools/list" => self.list(Kind::ListTools, &registry.tools, request, facts, out),
            "resources/read" => self.read_resource(request, facts, out),
            "resources/list" => self.list(Kind::ListResources, &registry.resources, request, facts, out),
            "resources/templates/list" => {
                self.list(Kind::ListResourceTemplates, &registry.templates, request, facts, out)
            }
            "prompts/get" => self.get_prompt(request, facts, out),
            "prompts/list" => self.list(Kind::ListPrompts, &registry.prompts, request, facts, out),
            "completion/complete" => self.complete(request, facts, out),
            method => Err(unknown_method(method)),
        }
    }

    fn list<T: Listed>(
        self: &Arc<Self>,
        kind: Kind,
        list: &List<T>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        if !request.registry.layers.is_empty() {
            return self.list_through_layers(kind, request, facts, out);
        }
        let cursor = request.frame.params().and_then(|params| params.cursor);
        let page = self.page(list, facts.revision, cursor, &self.sight(request, facts))?;
        finish_frame(out, |out| write::result(out, request.id.as_str(), &page));
        Ok(Dispatched::Done)
    }

    /// Returns a page of a list, as the JSON text of a result.
    pub(crate) fn page<T: Listed>(
        &self,
        list: &List<T>,
        revision: Revision,
        cursor: Option<Raw<'_>>,
        sight: &Sight<'_>,
    ) -> Result<Arc<[u8]>, RpcError> {
        let invalid = || RpcError::invalid_params("Invalid params: `cursor` must be one that an earlier page gave");
        let cursor = match cursor {
            // Some clients send `null` for an absent value.
            Some(raw) if raw.get() == "null" && !revision.is_modern() => None,
            Some(raw) => Some(text(raw).ok_or_else(invalid)?),
            None => None,
        };
        sight.page(list, revision, cursor.as_deref(), &self.server.server_info).ok_or_else(invalid)
    }

    fn call_tool(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let name = required(request, "name", |params| params.name)?;
        let tool = self.sight(request, facts).tool(&name)?;
        request.is_for(Target::Tool, &tool.handler);
        let mut arguments = arguments(request)?;
        let config = &self.server.config;
        // Layers and the seal of questions use the arguments before they are read, so added arguments are removed here.
        if !tool.handler.layers.is_empty() || (tool.handler.described.needs_request && facts.client.is_none()) {
            if let Some(own) = config.ignored.strip(arguments, &tool.handler.described.input, &name) {
                arguments = request.arguments.get_or_init(|| own);
            }
        }
        // Sessions do not have these headers.
        let headers = request.exchange.and_then(|exchange| exchange.headers).filter(|_| facts.revision.is_modern());
        if let Some(headers) = headers {
            check_arguments(headers, tool, arguments)?;
        }
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let reading = Reading { lenient: !config.strict_arguments, ignored: Some(&config.ignored), is_prompt: false };
        let job = job(&tool.handler, tool.subject(config.lists.style));
        if !tool.handler.layers.is_empty() {
            let asked = Asked { kind: Kind::CallTool, name: &name, arguments };
            return Ok(self.run_through_layers(&tool.handler.layers, asked, job, request, facts, out));
        }
        Ok(self.run(job, request, facts, out, |context| Self::invoke(&tool.handler, arguments, reading, context)))
    }

    fn read_resource(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let uri = required(request, "uri", |params| params.uri)?;
        let found = self.sight(request, facts).resource(&uri);
        let (resource, values) = found.ok_or_else(|| unknown_resource(&uri, facts.revision))?;
        request.is_for(Target::Resource, &resource.handler);
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let cache = resource.cache(self.server.config.contents);
        let subject = Subject::ResourceRead { uri: uri.as_ref().into(), mime_type: resource.mime_type(), cache };
        let arguments = Value::from(values).to_string();
        let job = job(&resource.handler, subject);
        if !resource.handler.layers.is_empty() {
            let asked = Asked { kind: Kind::ReadResource, name: &uri, arguments: &arguments };
            return Ok(self.run_through_layers(&resource.handler.layers, asked, job, request, facts, out));
        }
        Ok(self.run(job, request, facts, out, |context| {
            Self::invoke(&resource.handler, &arguments, Reading::TEXTS, context)
        }))
    }

    fn get_prompt(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let name = required(request, "name", |params| params.name)?;
        let prompt = self.sight(request, facts).prompt(&name)?;
        request.is_for(Target::Prompt, &prompt.handler);
        let arguments = arguments(request)?;
        // Arguments of prompts are strings; values of all other types are JSON inside of these strings.
        if serde_json::from_str::<Texts>(arguments).is_err() {
            return Err(RpcError::invalid_params("Invalid params: each of a prompt's `arguments` must be a string"));
        }
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let reading = Reading { is_prompt: true, ..Reading::TEXTS };
        let job = job(&prompt.handler, Subject::PromptGet { description: prompt.about.description.clone() });
        if !prompt.handler.layers.is_empty() {
            let asked = Asked { kind: Kind::GetPrompt, name: &name, arguments };
            return Ok(self.run_through_layers(&prompt.handler.layers, asked, job, request, facts, out));
        }
        Ok(self.run(job, request, facts, out, |context| Self::invoke(&prompt.handler, arguments, reading, context)))
    }

    fn complete(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let asked_for = request.frame.params().map(AskedFor::from).unwrap_or_default();
        let wanted = Wanted::parse(asked_for)?;
        let (handler, parameter) = wanted.find(&self.sight(request, facts))?;
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let job = Job {
            component: &handler.shared,
            subject: wanted.subject(),
            needs_request: true,
            timeout: handler.default_timeout,
            pace: None,
        };
        if !handler.layers.is_empty() {
            let asked = Asked { kind: Kind::Complete, name: wanted.reference.name(), arguments: &asked_for.text() };
            return Ok(self.run_through_layers(&handler.layers, asked, job, request, facts, out));
        }
        Ok(self.run(job, request, facts, out, |context| Ok(wanted.start(handler, parameter, context()))))
    }
}

fn job(handler: &Handler, subject: Subject) -> Job<'_> {
    Job {
        component: &handler.shared,
        subject,
        needs_request: handler.described.needs_request,
        timeout: handler.timeout.or(handler.default_timeout),
        pace: Some(&handler.pace),
    }
}

/// Returns a parameter that must be a string, or an error.
pub(crate) fn required<'a>(
    request: &Request<'a>,
    name: &str,
    member: impl Fn(&Params<'a>) -> Option<Raw<'a>>,
) -> Result<Cow<'a, str>, RpcError> {
    let value = request.frame.params().and_then(member).and_then(text);
    value.ok_or_else(|| {
        RpcError::invalid_params(format!("Invalid params: `{}` wants `{name}`, a string", request.method))
    })
}

/// Returns the text of the arguments, which must be an object; an absent value is an empty object.
fn arguments<'a>(request: &Request<'a>) -> Result<&'a str, RpcError> {
    match request.frame.params().and_then(|params| params.arguments).map(Raw::get) {
        // Some clients send `null` for an absent value.
        None | Some("null") => Ok("{}"),
        Some(object) if object.starts_with('{') => Ok(object),
        Some(_) => Err(RpcError::invalid_params("Invalid params: `arguments` must be an object")),
    }
}

/// An object whose members are all strings; it is only checked, and nothing of it is kept.
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
