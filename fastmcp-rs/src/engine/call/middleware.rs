//! Calls and lists that pass through layers.
//!
//! For the engine, this is one call whose handler is the chain of layers: it is started, polled, cancelled and answered
//! like any other. Inside of the layers, the real handler writes its response into a buffer of its own, which the
//! layers see as a reply or a refusal; the outcome of the outermost layer is written into the frame.

use std::future::poll_fn;
use std::sync::Arc;

use super::super::completion::{CompletionParams, CompletionQuery};
use super::super::visibility::Visibility;
use super::super::{Connection, DispatchStatus, IncomingRequest};
use super::{ArgumentPolicy, CallSpec, CallerInfo};
use crate::component::invocation::BoxedCall;
use crate::component::result_writer::{ResultWriter, Subject};
use crate::context::{ComponentEnv, current_call};
use crate::json::object::{self, Raw, members};
use crate::middleware::{
    InnerHandler, LayerChain, Method, Operation, OperationError, OperationFuture, Response, ResponseFormat,
};
use crate::protocol::Revision;
use crate::protocol::write::RpcError;
use crate::registry::{ComponentHandler, Registry};

/// A request in the form that layers see.
pub(crate) struct OperationParts<'a> {
    pub(crate) kind: Method,
    pub(crate) name: &'a str,
    /// The text of a JSON object.
    pub(crate) arguments: &'a str,
}

impl Connection {
    /// Calls a handler through the layers around it.
    pub(crate) fn run_through_middleware(
        self: &Arc<Self>,
        layers: &LayerChain,
        parts: OperationParts<'_>,
        spec: CallSpec<'_>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> DispatchStatus {
        // Layers use the request, even if the handler does not.
        let spec = CallSpec { needs_request: true, ..spec };
        let response_format = self.response_format(spec.component, spec.subject.clone(), caller.revision);
        let core = HandlerCore { connection: Arc::clone(self), registry: Arc::clone(request.registry) };
        self.run_call(spec, request, caller, out, |context| {
            let operation = Operation::new(parts.kind, parts.name, parts.arguments, context(), response_format);
            Ok(layers.start(operation, Arc::new(core)))
        })
    }

    /// Answers a request to the whole server through the layers of its app.
    pub(crate) fn list_through_middleware(
        self: &Arc<Self>,
        kind: Method,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        if !self.admit(request)? {
            return Ok(DispatchStatus::Done);
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
        Ok(self.run_through_middleware(&request.registry.layers, parts, spec, request, caller, out))
    }

    /// Returns the settings with which the responses of an operation are written.
    pub(crate) fn response_format(
        &self,
        component: &Arc<ComponentEnv>,
        subject: Subject,
        revision: Revision,
    ) -> Arc<ResponseFormat> {
        Arc::new(ResponseFormat {
            revision,
            component: Arc::clone(component),
            subject,
            server_info: Arc::clone(&self.server.server_info),
            show_errors: self.server.config.show_errors,
        })
    }
}

/// The core of a chain of layers: calls the handler, or reads the list.
pub(crate) struct HandlerCore {
    pub(crate) connection: Arc<Connection>,
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
                        query.resolve(&Visibility::for_call(operation.context(), &self.registry))?;
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
                    let config = &self.connection.server.config;
                    let policy = match operation.method() {
                        Method::CallTool => ArgumentPolicy {
                            lenient: !config.strict_arguments,
                            ignored: Some(&config.ignored_arguments),
                            is_prompt: false,
                        },
                        kind => ArgumentPolicy { is_prompt: kind == Method::GetPrompt, ..ArgumentPolicy::TEXTS },
                    };
                    let handler = find_handler(&self.registry, &operation).ok_or_else(component_gone)?;
                    match Connection::invoke(handler, arguments, policy, &context) {
                        Ok(started) => poll_to_end(started, &operation, operation.response_format()).await,
                        Err(problems) => {
                            operation.response_format().render(|answer| answer.invalid_arguments(&problems))
                        }
                    }
                }
                kind => {
                    let (connection, registry) = (&self.connection, &self.registry);
                    let cursor = OperationArguments::parse(arguments).cursor;
                    let revision = operation.response_format().revision;
                    let visibility = Visibility::for_call(operation.context(), registry);
                    let result = match kind {
                        Method::ListTools => connection.list_page(&registry.tools, revision, cursor, &visibility)?,
                        Method::ListResources => {
                            connection.list_page(&registry.resources, revision, cursor, &visibility)?
                        }
                        Method::ListResourceTemplates => {
                            connection.list_page(&registry.templates, revision, cursor, &visibility)?
                        }
                        Method::ListPrompts => {
                            connection.list_page(&registry.prompts, revision, cursor, &visibility)?
                        }
                        _ => connection.server.discovery_result(registry).into(),
                    };
                    operation.response_format().reply(&result)
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
        _ => Visibility::for_call(operation.context(), registry).resource(name).map(|(resource, _)| &resource.handler),
    }
}

fn component_gone() -> RpcError {
    RpcError::invalid_params("Invalid params: there is no such component any more")
}

/// Polls a handler to its end. It may differ from the call's own handler.
async fn poll_to_end(
    mut started: BoxedCall,
    operation: &Operation,
    response_format: &Arc<ResponseFormat>,
) -> Result<Response, OperationError> {
    let mut frame = Vec::new();
    poll_fn(|task| {
        let _entered = current_call::enter(|| Some(operation.context().clone()));
        started.as_mut().poll_call(task, &mut ResultWriter::new(&mut frame, response_format.frame()))
    })
    .await;
    response_format.read(frame)
}
