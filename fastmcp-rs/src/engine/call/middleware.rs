//! Calls and lists that pass through layers.
//!
//! For the engine, this is one call whose handler is the chain of layers: it is started, polled, cancelled and answered
//! like any other. Inside of the layers, the real handler writes its response into a buffer of its own, which the
//! layers see as a reply or a refusal; the outcome of the outermost layer is written into the frame.

use std::future::poll_fn;
use std::sync::Arc;

use super::super::completion::{AskedFor, Wanted};
use super::super::visibility::Sight;
use super::super::{Connection, Dispatched, Request};
use super::{CallFacts, Job, Reading};
use crate::component::invocation::Started;
use crate::component::result_writer::{Answer, Subject};
use crate::context::{Shared, current_call};
use crate::json::object::{self, Raw, members};
use crate::middleware::{Chain, Core, Form, Kind, Operation, OperationFuture, Refusal, Reply};
use crate::protocol::Revision;
use crate::protocol::write::RpcError;
use crate::registry::{Handler, Registry};

/// A request in the form that layers see.
pub(crate) struct Asked<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    /// The text of a JSON object.
    pub(crate) arguments: &'a str,
}

impl Connection {
    /// Calls a handler through the layers around it.
    pub(crate) fn run_through_layers(
        self: &Arc<Self>,
        layers: &Chain,
        asked: Asked<'_>,
        job: Job<'_>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Dispatched {
        // Layers use the request, even if the handler does not.
        let job = Job { needs_request: true, ..job };
        let form = self.form(job.component, job.subject.clone(), facts.revision);
        let core = Innermost { connection: Arc::clone(self), registry: Arc::clone(request.registry) };
        self.run(job, request, facts, out, |context| {
            let operation = Operation::new(asked.kind, asked.name, asked.arguments, context(), form);
            Ok(layers.start(operation, Arc::new(core)))
        })
    }

    /// Answers a request to the whole server through the layers of its app.
    pub(crate) fn list_through_layers(
        self: &Arc<Self>,
        kind: Kind,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        if !self.admit(request)? {
            return Ok(Dispatched::Done);
        }
        let cursor = request.frame.params().and_then(|params| params.cursor);
        let arguments = cursor.map_or_else(|| "{}".to_owned(), |cursor| format!(r#"{{"cursor":{}}}"#, cursor.get()));
        let component = Shared {
            name: kind.method().into(),
            states: Arc::clone(&request.registry.states),
            namespaces: Arc::default(),
        };
        let job = Job {
            component: &Arc::new(component),
            subject: Subject::List,
            needs_request: true,
            timeout: None,
            pace: None,
        };
        let asked = Asked { kind, name: "", arguments: &arguments };
        Ok(self.run_through_layers(&request.registry.layers, asked, job, request, facts, out))
    }

    /// Returns the settings with which the responses of an operation are written.
    pub(crate) fn form(&self, component: &Arc<Shared>, subject: Subject, revision: Revision) -> Arc<Form> {
        Arc::new(Form {
            revision,
            component: Arc::clone(component),
            subject,
            server_info: Arc::clone(&self.server.server_info),
            show_errors: self.server.config.show_errors,
        })
    }
}

/// The core of a chain of layers: calls the handler, or reads the list.
pub(crate) struct Innermost {
    pub(crate) connection: Arc<Connection>,
    /// The components at the time of the request.
    pub(crate) registry: Arc<Registry>,
}

impl Core for Innermost {
    fn call(self: Arc<Self>, operation: Operation) -> OperationFuture<'static> {
        Box::pin(async move {
            let arguments = operation.arguments_json();
            let context = || operation.context().clone();
            match operation.kind() {
                Kind::Complete => {
                    let Arguments { reference, argument, context: known, .. } = Arguments::of(arguments);
                    let wanted = Wanted::parse(AskedFor { reference, argument, context: known })?;
                    let (handler, parameter) = wanted.find(&Sight::of(operation.context(), &self.registry))?;
                    // Candidates are ranked by the text to complete, which a layer may have changed.
                    let form = Form { subject: wanted.subject(), ..Form::clone(operation.form()) };
                    finish(wanted.start(handler, parameter, context()), &operation, &Arc::new(form)).await
                }
                Kind::CallTool | Kind::ReadResource | Kind::GetPrompt => {
                    let config = &self.connection.server.config;
                    let reading = match operation.kind() {
                        Kind::CallTool => Reading {
                            lenient: !config.strict_arguments,
                            ignored: Some(&config.ignored),
                            is_prompt: false,
                        },
                        kind => Reading { is_prompt: kind == Kind::GetPrompt, ..Reading::TEXTS },
                    };
                    let handler = handler(&self.registry, &operation).ok_or_else(gone)?;
                    match Connection::invoke(handler, arguments, reading, &context) {
                        Ok(started) => finish(started, &operation, operation.form()).await,
                        Err(problems) => operation.form().render(|answer| answer.invalid_arguments(&problems)),
                    }
                }
                kind => {
                    let (connection, registry) = (&self.connection, &self.registry);
                    let cursor = Arguments::of(arguments).cursor;
                    let revision = operation.form().revision;
                    let sight = Sight::of(operation.context(), registry);
                    let result = match kind {
                        Kind::ListTools => connection.page(&registry.tools, revision, cursor, &sight)?,
                        Kind::ListResources => connection.page(&registry.resources, revision, cursor, &sight)?,
                        Kind::ListResourceTemplates => {
                            connection.page(&registry.templates, revision, cursor, &sight)?
                        }
                        Kind::ListPrompts => connection.page(&registry.prompts, revision, cursor, &sight)?,
                        _ => connection.server.discovery(registry).into(),
                    };
                    operation.form().reply(&result)
                }
            }
        })
    }
}

members! {
    /// The arguments of completions and lists.
    Arguments {
        reference: "ref" => Raw<'a>,
        argument: "argument" => Raw<'a>,
        context: "context" => Raw<'a>,
        cursor: "cursor" => Raw<'a>,
    }
}

impl<'a> Arguments<'a> {
    fn of(arguments: &'a str) -> Arguments<'a> {
        object::read(arguments).unwrap_or_default()
    }
}

/// Returns the handler of a component, which was found before the layers started.
fn handler<'a>(registry: &'a Registry, operation: &'a Operation) -> Option<&'a Handler> {
    let name = operation.name();
    match operation.kind() {
        Kind::CallTool => registry.tool(name).map(|tool| &tool.handler),
        Kind::GetPrompt => registry.prompts.find(name).map(|prompt| &prompt.handler),
        _ => Sight::of(operation.context(), registry).resource(name).map(|(resource, _)| &resource.handler),
    }
}

fn gone() -> RpcError {
    RpcError::invalid_params("Invalid params: there is no such component any more")
}

/// Polls a handler to its end. It may differ from the call's own handler.
async fn finish(mut started: Started, operation: &Operation, form: &Arc<Form>) -> Result<Reply, Refusal> {
    let mut frame = Vec::new();
    poll_fn(|task| {
        let _entered = current_call::enter(|| Some(operation.context().clone()));
        started.as_mut().poll_call(task, &mut Answer::new(&mut frame, form.frame()))
    })
    .await;
    form.read(frame)
}
