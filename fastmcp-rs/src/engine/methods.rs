//! The methods that both eras share: lists, and requests that address a component.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::component::result_writer::{Subject, unknown_resource};
use crate::engine::call::middleware::OperationParts;
use crate::engine::call::{ArgumentPolicy, CallSpec, CallerInfo};
use crate::engine::completion::{CompletionParams, CompletionQuery};
use crate::engine::header_match::check_arguments;
use crate::engine::registry_view::RegistryView;
use crate::engine::stateless::unknown_method;
use crate::engine::{Connection, DispatchStatus, IncomingRequest, write_frame};
use crate::json::object::{self, Raw, StringMembers, string_value};
use crate::middleware::Method;
use crate::protocol::frame::Params;
use crate::protocol::write::{self, RpcError};
use crate::protocol::{Feature, ProtocolMethod, Revision};
use crate::registry::{ComponentHandler, ComponentList, ListEntry};
use crate::telemetry::Target;

impl Connection {
    /// Serves a method of the components. A method whose capability is not offered is not found.
    pub(crate) fn dispatch_component_method(
        self: &Arc<Self>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        let registry = request.registry;
        let Some(method) = request.method.filter(|method| registry.capabilities.has_method(*method)) else {
            return Err(unknown_method(request.method_name));
        };
        match method {
            ProtocolMethod::CallTool => self.call_tool(request, caller, out),
            ProtocolMethod::ListTools => self.list_components(Method::ListTools, &registry.tools, request, caller, out),
            ProtocolMethod::ReadResource => self.read_resource(request, caller, out),
            ProtocolMethod::ListResources => {
                self.list_components(Method::ListResources, &registry.resources, request, caller, out)
            }
            ProtocolMethod::ListResourceTemplates => {
                self.list_components(Method::ListResourceTemplates, &registry.templates, request, caller, out)
            }
            ProtocolMethod::GetPrompt => self.get_prompt(request, caller, out),
            ProtocolMethod::ListPrompts => {
                self.list_components(Method::ListPrompts, &registry.prompts, request, caller, out)
            }
            ProtocolMethod::Complete => self.complete_argument(request, caller, out),
            _ => Err(unknown_method(request.method_name)),
        }
    }

    fn list_components<T: ListEntry>(
        self: &Arc<Self>,
        kind: Method,
        list: &ComponentList<T>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        if !request.registry.layers.is_empty() {
            return self.list_through_middleware(kind, request, caller, out);
        }
        let cursor = request.frame.params().and_then(|params| params.cursor);
        let page = self.list_page(list, caller.revision, cursor, &self.registry_view(request, caller))?;
        write_frame(out, |out| write::write_result(out, request.id.as_str(), &page));
        Ok(DispatchStatus::Done)
    }

    /// Returns a page of a list, as the JSON text of a result.
    pub(crate) fn list_page<T: ListEntry>(
        &self,
        list: &ComponentList<T>,
        revision: Revision,
        cursor: Option<Raw<'_>>,
        view: &RegistryView<'_>,
    ) -> Result<Arc<[u8]>, RpcError> {
        let invalid =
            || RpcError::invalid_params("Invalid params: `cursor` must be the `nextCursor` of an earlier page");
        let cursor = match cursor {
            // Some clients send `null` for an absent value.
            Some(raw) if raw.get() == "null" && revision.has(Feature::Sessions) => None,
            Some(raw) => Some(string_value(raw).ok_or_else(invalid)?),
            None => None,
        };
        view.page(list, revision, cursor.as_deref(), &self.server.server_info).ok_or_else(invalid)
    }

    fn call_tool(
        self: &Arc<Self>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        let name = required_string(request, "name", |params| params.name)?;
        let tool = self.registry_view(request, caller).tool(&name)?;
        request.set_target(Target::Tool, &tool.handler);
        let mut arguments = arguments_text(request)?;
        let config = &self.server.config;
        // Layers and the seal of questions use the arguments before they are read, so added arguments are removed here.
        if !tool.handler.layers.is_empty() || (tool.handler.described.needs_request && caller.client.is_none()) {
            if let Some(own) = config.ignored_arguments.strip(arguments, &tool.handler.described.input, &name) {
                arguments = request.arguments.get_or_init(|| own);
            }
        }
        let headers = request.exchange.and_then(|exchange| exchange.headers);
        if let Some(headers) = headers.filter(|_| caller.revision.has(Feature::ParameterHeaders)) {
            check_arguments(headers, tool, arguments)?;
        }
        if !self.admit(request)? {
            return Ok(DispatchStatus::Done);
        }
        let policy = ArgumentPolicy {
            lenient: !config.strict_arguments,
            ignored: Some(&config.ignored_arguments),
            is_prompt: false,
        };
        let spec = call_spec(&tool.handler, tool.subject(config.lists.style));
        if !tool.handler.layers.is_empty() {
            let parts = OperationParts { kind: Method::CallTool, name: &name, arguments };
            return Ok(self.run_through_middleware(&tool.handler.layers, parts, spec, request, caller, out));
        }
        Ok(self.run_call(spec, request, caller, out, |context| Self::invoke(&tool.handler, arguments, policy, context)))
    }

    fn read_resource(
        self: &Arc<Self>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        let uri = required_string(request, "uri", |params| params.uri)?;
        let found = self.registry_view(request, caller).resource(&uri);
        let (resource, values) = found.ok_or_else(|| unknown_resource(&uri, caller.revision))?;
        request.set_target(Target::Resource, &resource.handler);
        if !self.admit(request)? {
            return Ok(DispatchStatus::Done);
        }
        let cache = resource.cache(self.server.config.resource_cache);
        let subject = Subject::ResourceRead { uri: uri.as_ref().into(), mime_type: resource.mime_type(), cache };
        let arguments = Value::from(values).to_string();
        let spec = call_spec(&resource.handler, subject);
        if !resource.handler.layers.is_empty() {
            let parts = OperationParts { kind: Method::ReadResource, name: &uri, arguments: &arguments };
            return Ok(self.run_through_middleware(&resource.handler.layers, parts, spec, request, caller, out));
        }
        Ok(self.run_call(spec, request, caller, out, |context| {
            Self::invoke(&resource.handler, &arguments, ArgumentPolicy::TEXTS, context)
        }))
    }

    fn get_prompt(
        self: &Arc<Self>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        let name = required_string(request, "name", |params| params.name)?;
        let prompt = self.registry_view(request, caller).prompt(&name)?;
        request.set_target(Target::Prompt, &prompt.handler);
        let arguments = arguments_text(request)?;
        // Arguments of prompts are strings; values of all other types are JSON inside of these strings.
        if object::read_members::<StringMembers>(arguments).is_err() {
            return Err(RpcError::invalid_params(
                "Invalid params: the values in `arguments` of a prompt must be strings",
            ));
        }
        if !self.admit(request)? {
            return Ok(DispatchStatus::Done);
        }
        let policy = ArgumentPolicy { is_prompt: true, ..ArgumentPolicy::TEXTS };
        let spec =
            call_spec(&prompt.handler, Subject::PromptGet { description: prompt.handler.metadata.description.clone() });
        if !prompt.handler.layers.is_empty() {
            let parts = OperationParts { kind: Method::GetPrompt, name: &name, arguments };
            return Ok(self.run_through_middleware(&prompt.handler.layers, parts, spec, request, caller, out));
        }
        Ok(self
            .run_call(spec, request, caller, out, |context| Self::invoke(&prompt.handler, arguments, policy, context)))
    }

    fn complete_argument(
        self: &Arc<Self>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        let params = request.frame.params().map(CompletionParams::from).unwrap_or_default();
        let query = CompletionQuery::parse(params)?;
        let (handler, parameter) = query.resolve(&self.registry_view(request, caller))?;
        if !self.admit(request)? {
            return Ok(DispatchStatus::Done);
        }
        let spec = CallSpec {
            component: &handler.env,
            subject: query.subject(),
            needs_request: true,
            timeout: handler.default_timeout,
            pace: None,
        };
        if !handler.layers.is_empty() {
            let parts =
                OperationParts { kind: Method::Complete, name: query.reference.name(), arguments: &params.to_json() };
            return Ok(self.run_through_middleware(&handler.layers, parts, spec, request, caller, out));
        }
        Ok(self
            .run_call(spec, request, caller, out, |context| Ok(query.start_completion(handler, parameter, context()))))
    }
}

fn call_spec(handler: &ComponentHandler, subject: Subject) -> CallSpec<'_> {
    CallSpec {
        component: &handler.env,
        subject,
        needs_request: handler.described.needs_request,
        timeout: handler.timeout.or(handler.default_timeout),
        pace: Some(&handler.pace),
    }
}

/// Returns a parameter that must be a string, or an error.
pub(crate) fn required_string<'a>(
    request: &IncomingRequest<'a>,
    name: &str,
    member: impl Fn(&Params<'a>) -> Option<Raw<'a>>,
) -> Result<Cow<'a, str>, RpcError> {
    let value = request.frame.params().and_then(member).and_then(string_value);
    value.ok_or_else(|| {
        RpcError::invalid_params(format!("Invalid params: `{}` needs `{name}`, a string", request.method_name))
    })
}

/// Returns the text of the arguments, which must be an object; an absent value is an empty object.
fn arguments_text<'a>(request: &IncomingRequest<'a>) -> Result<&'a str, RpcError> {
    match request.frame.params().and_then(|params| params.arguments).map(Raw::get) {
        // Some clients send `null` for an absent value.
        None | Some("null") => Ok("{}"),
        Some(object) if object.starts_with('{') => Ok(object),
        Some(_) => Err(RpcError::invalid_params("Invalid params: `arguments` must be an object")),
    }
}
