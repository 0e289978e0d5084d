//! Handlers that call other components of their server.

use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::call::middleware::{HandlerCore, response_format};
use super::call::pending::TIMEOUT_RECHECK_INTERVAL;
use super::connection::Connection;
use super::registry_view::{RegistryView, unknown_component_message};
use crate::component::result_writer::Subject;
use crate::context::Context;
use crate::context::nested_calls::{NestedCallFuture, NestedCalls};
use crate::error::ToolError;
use crate::middleware::{Method, Operation};
use crate::protocol::Revision;
use crate::protocol::cache::CacheHints;
use crate::registry::ComponentHandler;
use crate::schema::publish::SchemaStyle;

impl NestedCalls for Connection {
    fn call_component(
        self: Arc<Self>,
        kind: Method,
        name: String,
        arguments: String,
        context: Context,
    ) -> NestedCallFuture {
        Box::pin(async move {
            let registry = self.server.registry.load();
            // A handler uses the names of its own app, which may be mounted in another.
            let name = match kind {
                Method::ReadResource => context.component.full_uri(&name),
                _ => context.component.full_name(&name),
            };
            let found = find_target(
                &RegistryView::for_call(&context, &registry),
                kind,
                &name,
                &arguments,
                self.server.config.lists.style,
            )
            .map_err(ToolError::new)?;
            let NestedTarget { handler, subject, arguments } = found;
            // A result for another handler is not limited to the client's revision.
            let response_format = response_format(&self.server, &handler.env, subject, Revision::LATEST);
            let operation =
                Operation::new(kind, &name, &arguments, context.for_nested_call(&handler.env), response_format);
            let core = Arc::new(HandlerCore { server: Arc::clone(&self.server), registry: Arc::clone(&registry) });
            let outcome = handler.layers.run(operation, core);
            let outcome = match handler.timeout.or(handler.default_timeout) {
                Some(limit) => with_timeout(limit, &context, outcome)
                    .await
                    .ok_or_else(|| ToolError::new(format!("`{}` timed out after {limit:?}.", handler.name())))?,
                None => outcome.await,
            };
            // A client would get the same message, so the model may read it.
            outcome.map(|reply| reply.members()).map_err(|refusal| ToolError::new(refusal.message()))
        })
    }

    fn send_to_session(&self, frame: &[u8]) {
        if let Some(outgoing) = self.session().and_then(|_| self.session_queue()) {
            outgoing.try_push(frame);
        }
    }
}

/// Waits for the outcome of a nested call, at most until the timeout of its component. The time in which a person thinks
/// does not count.
async fn with_timeout<T>(limit: Duration, context: &Context, outcome: impl Future<Output = T>) -> Option<T> {
    let waited = || context.request.as_ref().map(|request| request.client_requests.user_wait()).unwrap_or_default();
    let (waited_before, _) = waited();
    let begin = Instant::now();
    let mut outcome = pin!(outcome);
    let mut wait = limit;
    loop {
        if let Ok(outcome) = tokio::time::timeout(wait, &mut outcome).await {
            return Some(outcome);
        }
        let (waited, is_waiting) = waited();
        let worked = begin.elapsed().saturating_sub(waited.saturating_sub(waited_before));
        wait = limit.saturating_sub(worked);
        if is_waiting {
            wait = wait.max(TIMEOUT_RECHECK_INTERVAL);
        } else if wait.is_zero() {
            return None;
        }
    }
}

struct NestedTarget<'a> {
    handler: &'a ComponentHandler,
    subject: Subject,
    arguments: Cow<'a, str>,
}

/// Finds the component to call, among those that the client of the request may see; or returns an error message.
fn find_target<'a>(
    view: &RegistryView<'a>,
    kind: Method,
    name: &str,
    arguments: &'a str,
    style: SchemaStyle,
) -> Result<NestedTarget<'a>, String> {
    match kind {
        Method::CallTool => {
            let tool = view.tool(name).map_err(|error| error.message)?;
            let subject = tool.subject_for_nested_call(style);
            Ok(NestedTarget { handler: &tool.handler, subject, arguments: arguments.into() })
        }
        Method::GetPrompt => {
            let prompt = view.prompt(name).map_err(|error| error.message)?;
            let subject = Subject::PromptGet { description: prompt.handler.metadata.description.clone() };
            Ok(NestedTarget { handler: &prompt.handler, subject, arguments: arguments.into() })
        }
        _ => {
            let (resource, values) =
                view.resource(name).ok_or_else(|| unknown_component_message("resource", name, None))?;
            let cache = CacheHints::default();
            let subject = Subject::ResourceRead { uri: name.into(), mime_type: resource.mime_type(), cache };
            Ok(NestedTarget {
                handler: &resource.handler,
                subject,
                arguments: serde_json::Value::from(values).to_string().into(),
            })
        }
    }
}
