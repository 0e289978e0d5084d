//! Calls and lists that pass through layers.
//!
//! For the engine, this is one call whose handler is the chain of layers: it is started, polled, cancelled and answered
//! like any other. Inside of the layers, the real handler writes its response into a buffer of its own, which the
//! layers see as a response or an error; the outcome of the outermost layer is written into the frame.

use std::future::poll_fn;
use std::sync::Arc;

use super::super::completion::{CompletionParams, CompletionQuery};
use super::super::registry_view::RegistryView;
use super::super::request::{CallerInfo, IncomingRequest};
use super::super::response::ResponseStatus;
use super::super::server::Server;
use super::admission::admit;
use super::arguments::{ArgumentPolicy, invoke};
use super::{CallSpec, DispatchResult};
use crate::component::invocation::BoxedCall;
use crate::component::result_writer::Subject;
use crate::context::{ComponentEnv, current_call};
use crate::json::object::{self, Raw, members};
use crate::middleware::{
    InnerHandler, InnerResponse, LayerChain, Method, Operation, OperationError, OperationFuture, Response,
    ResponseFormat,
};
use crate::protocol::Revision;
use crate::protocol::write::RpcError;
use crate::registry::{ComponentHandler, Registry};

/// A request in the form that layers see.
#[derive(Clone, Copy)]
pub(crate) struct OperationParts<'a> {
    pub(crate) kind: Method,
    pub(crate) name: &'a str,
    /// The text of a JSON object.
    pub(crate) arguments: &'a str,
}

/// Calls a handler through the layers around it.
pub(crate) fn run_through_layers(
    layers: &LayerChain,
    parts: OperationParts<'_>,
    spec: CallSpec<'_>,
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> DispatchResult {
    // Layers use the request, even if the handler does not.
    let spec = CallSpec { needs_request: true, ..spec };
    let server = &request.connection.server;
    let response_format = response_format(server, spec.component, spec.subject.clone(), caller.revision);
    let core = HandlerCore { server: Arc::clone(server), registry: Arc::clone(request.registry) };
    super::run(&spec, request, caller, out, |context| {
        let operation = Operation::new(parts.kind, parts.name, parts.arguments, context(), response_format);
        Ok(layers.start(operation, Arc::new(core)))
    })
}

/// Answers a request to the whole server through the layers of its app.
pub(crate) fn list_through_layers(
    kind: Method,
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    if !admit(request)? {
        return Ok(DispatchResult::Done(ResponseStatus::Deferred));
    }
    let cursor = request.frame.params().and_then(|params| params.cursor);
    let arguments = cursor.map_or_else(|| "{}".to_owned(), |cursor| format!(r#"{{"cursor":{}}}"#, cursor.get()));
    let component = ComponentEnv {
        name: kind.as_str().into(),
        states: Arc::clone(&request.registry.states),
        namespaces: Arc::default(),
    };
    let spec = CallSpec {
        component: &Arc::new(component),
        subject: Subject::List,
        needs_request: true,
        timeout: None,
        pace: None,
    };
    let parts = OperationParts { kind, name: "", arguments: &arguments };
    Ok(run_through_layers(&request.registry.layers, parts, spec, request, caller, out))
}

/// Returns the settings with which the responses of an operation are written.
pub(crate) fn response_format(
    server: &Server,
    component: &Arc<ComponentEnv>,
    subject: Subject,
    revision: Revision,
) -> Arc<ResponseFormat> {
    Arc::new(ResponseFormat {
        revision,
        component: Arc::clone(component),
        subject,
        server_info: Arc::clone(&server.server_info),
        show_errors: server.config.show_errors,
    })
}

/// The core of a chain of layers: calls the handler, or reads the list.
pub(crate) struct HandlerCore {
    pub(crate) server: Arc<Server>,
    /// The components at the time of the request.
    pub(crate) registry: Arc<Registry>,
}

impl InnerHandler for HandlerCore {
    fn call(self: Arc<Self>, operation: Operation) -> OperationFuture<'static> {
        Box::pin(async move {
            let arguments = operation.arguments_json();
            let context = || operation.context().clone();
            match operation.method() {
                Method::Complete => {
                    let OperationArguments { reference, argument, context: known, .. } =
                        OperationArguments::parse(arguments);
                    let query = CompletionQuery::parse(CompletionParams { reference, argument, context: known })?;
                    let (handler, parameter) =
                        query.resolve(&RegistryView::for_call(operation.context(), &self.registry))?;
                    // Candidates are ranked by the text to complete, which a layer may have changed.
                    let response_format = ResponseFormat {
                        subject: query.subject(),
                        ..ResponseFormat::clone(operation.response_format())
                    };
                    poll_to_end(
                        query.start_completion(handler, parameter, context()),
                        &operation,
                        &Arc::new(response_format),
                    )
                    .await
                }
                Method::CallTool | Method::ReadResource | Method::GetPrompt => {
                    let policy = match operation.method() {
                        Method::CallTool => ArgumentPolicy::for_tools(&self.server.config),
                        Method::GetPrompt => ArgumentPolicy::PROMPT,
                        _ => ArgumentPolicy::TEXTS,
                    };
                    let handler = find_handler(&self.registry, &operation).ok_or_else(component_gone)?;
                    match invoke(handler, arguments, policy, &context) {
                        Ok(started) => poll_to_end(started, &operation, operation.response_format()).await,
                        Err(problems) => {
                            operation.response_format().render(|answer| answer.invalid_arguments(&problems))
                        }
                    }
                }
                kind => {
                    let (server, registry) = (&self.server, &self.registry);
                    let cursor = OperationArguments::parse(arguments).cursor;
                    let revision = operation.response_format().revision;
                    let view = RegistryView::for_call(operation.context(), registry);
                    let info = &server.server_info;
                    let result = match kind {
                        Method::ListTools => view.page(&registry.tools, revision, cursor, info)?,
                        Method::ListResources => view.page(&registry.resources, revision, cursor, info)?,
                        Method::ListResourceTemplates => view.page(&registry.templates, revision, cursor, info)?,
                        Method::ListPrompts => view.page(&registry.prompts, revision, cursor, info)?,
                        _ => server.discovery_result(registry, revision).into(),
                    };
                    operation.response_format().wrap_json(&result)
                }
            }
        })
    }
}

members! {
    /// The arguments of completions and lists.
    OperationArguments {
        reference: "ref" => Raw<'a>,
        argument: "argument" => Raw<'a>,
        context: "context" => Raw<'a>,
        cursor: "cursor" => Raw<'a>,
    }
}

impl<'a> OperationArguments<'a> {
    fn parse(arguments: &'a str) -> OperationArguments<'a> {
        object::read_members(arguments).unwrap_or_default()
    }
}

/// Returns the handler of a component, which was found before the layers started.
fn find_handler<'a>(registry: &'a Registry, operation: &'a Operation) -> Option<&'a ComponentHandler> {
    let name = operation.name();
    match operation.method() {
        Method::CallTool => registry.tool(name).map(|tool| &tool.handler),
        Method::GetPrompt => registry.prompts.find(name).map(|prompt| &prompt.handler),
        _ => {
            RegistryView::for_call(operation.context(), registry).resource(name).map(|(resource, _)| &resource.handler)
        }
    }
}

fn component_gone() -> RpcError {
    RpcError::invalid_params("Invalid params: the component no longer exists")
}

/// Polls a handler to its end. It may differ from the call's own handler.
async fn poll_to_end(
    mut started: BoxedCall,
    operation: &Operation,
    response_format: &Arc<ResponseFormat>,
) -> Result<Response, OperationError> {
    let mut response = InnerResponse::default();
    poll_fn(|task| {
        let _entered = current_call::enter(|| Some(operation.context().clone()));
        response.write(response_format, |writer| started.as_mut().poll_call(task, writer))
    })
    .await;
    response_format.resolve_response(response)
}
