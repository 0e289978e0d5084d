//! Handlers that ask other components of their server.

use std::borrow::Cow;
use std::sync::Arc;

use super::Connection;
use super::components::{object_of_texts, unknown};
use super::layered::Innermost;
use crate::component::answer::Subject;
use crate::context::Context;
use crate::error::ToolError;
use crate::layers::{Kind, Operation};
use crate::protocol::Revision;
use crate::registry::{Handler, Registry};
use crate::siblings::{SiblingFuture, Siblings};

impl Siblings for Connection {
    fn ask_component(self: Arc<Self>, kind: Kind, name: String, arguments: String, context: Context) -> SiblingFuture {
        Box::pin(async move {
            let registry = self.server.components.load();
            let found = find(&registry, kind, &name, &arguments).map_err(ToolError::new)?;
            let Found { handler, subject, arguments } = found;
            // What is made for another handler is not bound to what the client understands.
            let form = self.form(&handler.shared, subject, Revision::V2026_07_28);
            let operation = Operation::new(kind, &name, &arguments, context.of_sibling(&handler.shared), form);
            let core = Arc::new(Innermost { connection: Arc::clone(&self), registry: Arc::clone(&registry) });
            let outcome = handler.layers.run(operation, core);
            let outcome = match handler.timeout {
                Some(limit) => tokio::time::timeout(limit, outcome)
                    .await
                    .map_err(|_| ToolError::new(format!("`{}` timed out after {limit:?}.", handler.name())))?,
                None => outcome.await,
            };
            // It says what a client would be told, so the model may read it.
            outcome.map(|reply| reply.members()).map_err(|refusal| ToolError::new(refusal.message()))
        })
    }
}

struct Found<'a> {
    handler: &'a Handler,
    subject: Subject,
    arguments: Cow<'a, str>,
}

/// The component that is asked; or what to tell if there is none.
fn find<'a>(registry: &'a Registry, kind: Kind, name: &str, arguments: &'a str) -> Result<Found<'a>, String> {
    match kind {
        Kind::CallTool => {
            let tool = registry.tool(name).ok_or_else(|| unknown("tool", name, registry.nearest_tool(name)))?;
            let subject = Subject::ToolCall { wrap: tool.wraps() };
            Ok(Found { handler: &tool.handler, subject, arguments: arguments.into() })
        }
        Kind::GetPrompt => {
            let prompt = registry.prompts.find(name);
            let prompt = prompt.ok_or_else(|| unknown("prompt", name, registry.nearest_prompt(name)))?;
            let subject = Subject::PromptGet { description: prompt.about.description.clone() };
            Ok(Found { handler: &prompt.handler, subject, arguments: arguments.into() })
        }
        _ => {
            let (resource, values) = registry.resource(name).ok_or_else(|| unknown("resource", name, None))?;
            let subject = Subject::ResourceRead { uri: name.into(), mime_type: resource.mime_type() };
            Ok(Found { handler: &resource.handler, subject, arguments: object_of_texts(values).into() })
        }
    }
}
