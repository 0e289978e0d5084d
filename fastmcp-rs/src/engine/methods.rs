//! The methods that both eras share: lists, and requests that address a component.

use std::borrow::Cow;

use serde_json::Value;

use super::call::admission::admit;
use super::call::arguments::{ArgumentPolicy, invoke};
use super::call::middleware::{OperationParts, list_through_layers, run_through_layers};
use super::call::{self, CallSpec, DispatchResult};
use super::completion::{CompletionParams, CompletionQuery};
use super::header_match::check_arguments;
use super::registry_view::RegistryView;
use super::request::{CallerInfo, IncomingRequest};
use super::response::{ResponseStatus, write_result};
use crate::component::invocation::BoxedCall;
use crate::component::result_writer::{Subject, unknown_resource};
use crate::context::Context;
use crate::json::object::{self, Raw, StringMembers, string_value};
use crate::middleware::Method;
use crate::protocol::frame::Params;
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Feature, ProtocolMethod};
use crate::registry::{ComponentHandler, ComponentList, ListEntry};
use crate::telemetry::Target;

/// Serves a method of the components. A method whose capability is not offered is not found.
pub(super) fn dispatch(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    let registry = request.registry;
    let Some(method) = request.method.filter(|method| registry.capabilities.has_method(*method)) else {
        return Err(unknown_method(request.method_name));
    };
    match method {
        ProtocolMethod::CallTool => call_tool(request, caller, out),
        ProtocolMethod::ListTools => list_components(Method::ListTools, &registry.tools, request, caller, out),
        ProtocolMethod::ReadResource => read_resource(request, caller, out),
        ProtocolMethod::ListResources => {
            list_components(Method::ListResources, &registry.resources, request, caller, out)
        }
        ProtocolMethod::ListResourceTemplates => {
            list_components(Method::ListResourceTemplates, &registry.templates, request, caller, out)
        }
        ProtocolMethod::GetPrompt => get_prompt(request, caller, out),
        ProtocolMethod::ListPrompts => list_components(Method::ListPrompts, &registry.prompts, request, caller, out),
        ProtocolMethod::Complete => complete_argument(request, caller, out),
        _ => Err(unknown_method(request.method_name)),
    }
}

fn list_components<T: ListEntry>(
    kind: Method,
    list: &ComponentList<T>,
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    if !request.registry.layers.is_empty() {
        return list_through_layers(kind, request, caller, out);
    }
    let cursor = request.frame.params().and_then(|params| params.cursor);
    let server_info = &request.connection.server.server_info;
    let page = RegistryView::for_request(request, caller).page(list, caller.revision, cursor, server_info)?;
    Ok(DispatchResult::Done(write_result(out, request.id.as_str(), &page)))
}

fn call_tool(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    let name = required_string(request, "name", |params| params.name)?;
    let tool = RegistryView::for_request(request, caller).tool(&name)?;
    request.set_target(Target::Tool, &tool.handler);
    let config = &request.connection.server.config;
    let mut arguments = arguments_text(request)?;
    // Layers and the seal of client requests use the arguments before they are read, so added arguments go here.
    if !tool.handler.layers.is_empty() || (tool.handler.described.needs_request && caller.client.is_none()) {
        if let Some(own) = config.ignored_arguments.strip(arguments, &tool.handler.described.input, &name) {
            arguments = request.arguments.get_or_init(|| own);
        }
    }
    let headers = request.exchange.and_then(|exchange| exchange.headers);
    if let Some(headers) = headers.filter(|_| caller.revision.has(Feature::ParameterHeaders)) {
        check_arguments(headers, tool, arguments)?;
    }
    let parts = OperationParts { kind: Method::CallTool, name: &name, arguments };
    let call = ComponentCall::new(&tool.handler, tool.subject(config.lists.style), parts);
    // `ComponentCall::run`, written out, so that the compiler inlines it: most calls are calls of tools.
    let policy = ArgumentPolicy::for_tools(config);
    call.run_with(request, caller, out, |context| invoke(&tool.handler, arguments, policy, context))
}

fn read_resource(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    let uri = required_string(request, "uri", |params| params.uri)?;
    let found = RegistryView::for_request(request, caller).resource(&uri);
    let (resource, values) = found.ok_or_else(|| unknown_resource(&uri, caller.revision))?;
    request.set_target(Target::Resource, &resource.handler);
    let cache = resource.cache(request.connection.server.config.resource_cache);
    let subject = Subject::ResourceRead { uri: uri.as_ref().into(), mime_type: resource.mime_type(), cache };
    let arguments = Value::from(values).to_string();
    let parts = OperationParts { kind: Method::ReadResource, name: &uri, arguments: &arguments };
    ComponentCall::new(&resource.handler, subject, parts).run(ArgumentPolicy::TEXTS, request, caller, out)
}

fn get_prompt(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    let name = required_string(request, "name", |params| params.name)?;
    let prompt = RegistryView::for_request(request, caller).prompt(&name)?;
    request.set_target(Target::Prompt, &prompt.handler);
    let arguments = arguments_text(request)?;
    // Arguments of prompts are strings; values of all other types are JSON inside of these strings.
    if object::read_members::<StringMembers>(arguments).is_err() {
        return Err(RpcError::invalid_params("Invalid params: the values in `arguments` of a prompt must be strings"));
    }
    let subject = Subject::PromptGet { description: prompt.handler.metadata.description.clone() };
    let parts = OperationParts { kind: Method::GetPrompt, name: &name, arguments };
    ComponentCall::new(&prompt.handler, subject, parts).run(ArgumentPolicy::PROMPT, request, caller, out)
}

fn complete_argument(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    let params = request.frame.params().map(CompletionParams::from).unwrap_or_default();
    let query = CompletionQuery::parse(params)?;
    let (handler, parameter) = query.resolve(&RegistryView::for_request(request, caller))?;
    let subject = query.subject();
    let spec = CallSpec {
        component: &handler.env,
        subject,
        needs_request: true,
        timeout: handler.default_timeout,
        pace: None,
    };
    // Only layers see the request as an operation.
    let (name, arguments) = match handler.layers.is_empty() {
        true => Default::default(),
        false => (query.reference.name().to_owned(), params.to_json()),
    };
    let parts = OperationParts { kind: Method::Complete, name: &name, arguments: &arguments };
    let call = ComponentCall { handler, spec, parts };
    call.run_with(request, caller, out, |context| Ok(query.start_completion(handler, parameter, context())))
}

/// A call of a component, as it is and as the layers around it see it.
struct ComponentCall<'a> {
    handler: &'a ComponentHandler,
    spec: CallSpec<'a>,
    parts: OperationParts<'a>,
}

impl<'a> ComponentCall<'a> {
    /// Creates a call of a tool, a resource or a prompt.
    fn new(handler: &'a ComponentHandler, subject: Subject, parts: OperationParts<'a>) -> ComponentCall<'a> {
        let spec = CallSpec {
            component: &handler.env,
            subject,
            needs_request: handler.described.needs_request,
            timeout: handler.timeout.or(handler.default_timeout),
            pace: Some(&handler.pace),
        };
        ComponentCall { handler, spec, parts }
    }

    /// Calls the handler with the arguments.
    fn run(
        self,
        policy: ArgumentPolicy<'_>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchResult, RpcError> {
        let (handler, arguments) = (self.handler, self.parts.arguments);
        self.run_with(request, caller, out, |context| invoke(handler, arguments, policy, context))
    }

    /// Calls the handler when it is admitted: through the layers around it, or directly by `start`.
    fn run_with(
        self,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
        start: impl FnOnce(&dyn Fn() -> Context) -> Result<BoxedCall, String>,
    ) -> Result<DispatchResult, RpcError> {
        if !admit(request)? {
            return Ok(DispatchResult::Done(ResponseStatus::Deferred));
        }
        let layers = &self.handler.layers;
        if layers.is_empty() {
            return Ok(call::run(&self.spec, request, caller, out, start));
        }
        Ok(run_through_layers(layers, self.parts, self.spec, request, caller, out))
    }
}

/// Returns the error for a method that does not exist, or whose capability is not offered.
pub(super) fn unknown_method(method: &str) -> RpcError {
    // Text from the peer is truncated: an error is one short sentence.
    let shown: String = method.chars().take(80).collect();
    RpcError::new(code::METHOD_NOT_FOUND, format!("Method not found: {shown}"))
}

/// Returns a parameter that must be a string, or an error.
pub(super) fn required_string<'a>(
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
