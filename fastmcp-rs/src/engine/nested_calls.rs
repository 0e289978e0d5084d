//! Handlers that call other components of their server.

use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Connection;
use super::call::middleware::Innermost;
use super::call::pending::LOOK_AGAIN;
use super::visibility::{Sight, unknown};
use crate::component::result_writer::Subject;
use crate::context::Context;
use crate::context::nested_calls::{SiblingFuture, Siblings};
use crate::error::ToolError;
use crate::middleware::{Kind, Operation};
use crate::protocol::Revision;
use crate::protocol::cache::CacheHints;
use crate::registry::Handler;
use crate::schema::publish::Style;

impl Siblings for Connection {
    fn ask_component(self: Arc<Self>, kind: Kind, name: String, arguments: String, context: Context) -> SiblingFuture {
        Box::pin(async move {
            let registry = self.server.components.load();
            // A handler uses the names of its own app, which may be mounted in another.
            let name = match kind {
                Kind::ReadResource => context.component.full_uri(&name),
                _ => context.component.full_name(&name),
            };
            let found = find(&Sight::of(&context, &registry), kind, &name, &arguments, self.server.config.lists.style)
                .map_err(ToolError::new)?;
            let Found { handler, subject, arguments } = found;
            // A result for another handler is not limited to the client's revision.
            let form = self.form(&handler.shared, subject, Revision::V2026_07_28);
            let operation = Operation::new(kind, &name, &arguments, context.of_sibling(&handler.shared), form);
            let core = Arc::new(Innermost { connection: Arc::clone(&self), registry: Arc::clone(&registry) });
            let outcome = handler.layers.run(operation, core);
            let outcome = match handler.timeout.or(handler.default_timeout) {
                Some(limit) => within(limit, &context, outcome)
                    .await
                    .ok_or_else(|| ToolError::new(format!("`{}` timed out after {limit:?}.", handler.name())))?,
                None => outcome.await,
            };
            // A client would get the same message, so the model may read it.
            outcome.map(|reply| reply.members()).map_err(|refusal| ToolError::new(refusal.message()))
        })
    }
}

/// Waits for the outcome of a sibling, at most until the sibling's own timeout. The time in which a person thinks does
/// not count.
async fn within<T>(limit: Duration, context: &Context, outcome: impl Future<Output = T>) -> Option<T> {
    let waited = || context.request.as_ref().map(|request| request.questions.waited()).unwrap_or_default();
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
            wait = wait.max(LOOK_AGAIN);
        } else if wait.is_zero() {
            return None;
        }
    }
}

struct Found<'a> {
    handler: &'a Handler,
    subject: Subject,
    arguments: Cow<'a, str>,
}

/// Finds the component to call, among those that the client of the request may see; or returns an error message.
fn find<'a>(sight: &Sight<'a>, kind: Kind, name: &str, arguments: &'a str, style: Style) -> Result<Found<'a>, String> {
    match kind {
        Kind::CallTool => {
            let tool = sight.tool(name).map_err(|error| error.message)?;
            let subject = tool.subject_of_sibling(style);
            Ok(Found { handler: &tool.handler, subject, arguments: arguments.into() })
        }
        Kind::GetPrompt => {
            let prompt = sight.prompt(name).map_err(|error| error.message)?;
            let subject = Subject::PromptGet { description: prompt.about.description.clone() };
            Ok(Found { handler: &prompt.handler, subject, arguments: arguments.into() })
        }
        _ => {
            let (resource, values) = sight.resource(name).ok_or_else(|| unknown("resource", name, None))?;
            let cache = CacheHints::default();
            let subject = Subject::ResourceRead { uri: name.into(), mime_type: resource.mime_type(), cache };
            Ok(Found {
                handler: &resource.handler,
                subject,
                arguments: serde_json::Value::from(values).to_string().into(),
            })
        }
    }
}
