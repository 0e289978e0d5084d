//! What is asked of a server, as layers see it.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::reply::{Form, Refusal, Replacement, Reply};
use crate::context::Context;
use crate::protocol::Revision;

/// What kind of operation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `tools/call`
    CallTool,
    /// `resources/read`
    ReadResource,
    /// `prompts/get`
    GetPrompt,
    /// `completion/complete`
    Complete,
    /// `tools/list`
    ListTools,
    /// `resources/list`
    ListResources,
    /// `resources/templates/list`
    ListResourceTemplates,
    /// `prompts/list`
    ListPrompts,
    /// `server/discover`
    Discover,
}

impl Kind {
    /// The method of the protocol.
    pub const fn method(self) -> &'static str {
        match self {
            Kind::CallTool => "tools/call",
            Kind::ReadResource => "resources/read",
            Kind::GetPrompt => "prompts/get",
            Kind::Complete => "completion/complete",
            Kind::ListTools => "tools/list",
            Kind::ListResources => "resources/list",
            Kind::ListResourceTemplates => "resources/templates/list",
            Kind::ListPrompts => "prompts/list",
            Kind::Discover => "server/discover",
        }
    }

    /// Whether a component is asked: a tool, a resource, a prompt, or what completes their arguments. The others
    /// tell what there is.
    pub const fn is_of_a_component(self) -> bool {
        matches!(self, Kind::CallTool | Kind::ReadResource | Kind::GetPrompt | Kind::Complete)
    }
}

/// What is asked, and by whom.
///
/// It is cheap to clone, so that an operation can be tried again.
#[derive(Clone)]
pub struct Operation {
    kind: Kind,
    name: Arc<str>,
    /// The text of a JSON object.
    arguments: Arc<str>,
    context: Context,
    form: Arc<Form>,
}

impl Operation {
    pub(crate) fn new(kind: Kind, name: &str, arguments: &str, context: Context, form: Arc<Form>) -> Operation {
        Operation { kind, name: name.into(), arguments: arguments.into(), context, form }
    }

    /// What kind of operation it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The method of the protocol, such as `tools/call`.
    pub fn method(&self) -> &'static str {
        self.kind.method()
    }

    /// What is asked for: the name of a tool or a prompt, or the URI of a resource; of a completion, the prompt's
    /// name or the template's URI. Empty for lists.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the component that answers. It is [`Operation::name`], apart from resources, where it is the
    /// name of the resource or the template, of which one has any number of URIs; of a list it is the method.
    pub fn component_name(&self) -> &str {
        self.context.tool_name()
    }

    /// The arguments as the text of a JSON object, not yet checked.
    ///
    /// Those of a tool are as they came; those of a prompt are strings; those of a resource are the variables of
    /// its template, as strings. Of a completion they are its `argument` and `context`, and of a list its `cursor`.
    pub fn arguments_json(&self) -> &str {
        &self.arguments
    }

    /// The arguments, read into a type such as a `Map<String, Value>`.
    ///
    /// # Errors
    ///
    /// Fails if they do not fit the type.
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.arguments)
    }

    /// Changes the arguments that inner layers and the handler get.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::layers;
    /// use serde_json::{Map, Value};
    ///
    /// // Whoever asks for nothing in particular gets little.
    /// let modest = layers::from_fn(|mut operation, next| async move {
    ///     let mut arguments: Map<String, Value> = operation.arguments()?;
    ///     arguments.entry("limit").or_insert_with(|| 10.into());
    ///     operation.set_arguments(arguments);
    ///     next.run(operation).await
    /// });
    /// # let _ = modest;
    /// ```
    pub fn set_arguments(&mut self, arguments: Map<String, Value>) {
        self.arguments = Value::from(arguments).to_string().into();
    }

    /// Who asks, in which revision, with which `_meta`; and ways to report back meanwhile.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The revision of the protocol in which the answer is written: the client's, or the newest one where a handler
    /// asks another component of its server. What a layer keeps of answers it keeps for each of them.
    ///
    /// # Example
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use std::sync::{Arc, Mutex};
    ///
    /// use fastmcp_rs::layers::{self, Kind, Next, Operation};
    ///
    /// // Reads each resource once.
    /// let kept = Arc::new(Mutex::new(HashMap::new()));
    /// let cache = layers::from_fn(move |operation: Operation, next: Next| {
    ///     let kept = Arc::clone(&kept);
    ///     async move {
    ///         if operation.kind() != Kind::ReadResource {
    ///             return next.run(operation).await;
    ///         }
    ///         let key = (operation.name().to_owned(), operation.revision());
    ///         if let Some(reply) = kept.lock().unwrap().get(&key).cloned() {
    ///             return Ok(reply);
    ///         }
    ///         let reply = next.run(operation).await?;
    ///         kept.lock().unwrap().insert(key, layers::Reply::clone(&reply));
    ///         Ok(reply)
    ///     }
    /// });
    /// # let _ = cache;
    /// ```
    pub fn revision(&self) -> Revision {
        self.form.revision
    }

    /// Answers without asking the handler.
    ///
    /// # Errors
    ///
    /// Fails if the result is none of this kind of operation, such as the messages of a prompt for a tool. The
    /// error can be returned as it is.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::layers::{self, Kind};
    /// use fastmcp_rs::prelude::*;
    ///
    /// let canned = layers::from_fn(|operation, next| async move {
    ///     if operation.kind() == Kind::CallTool && operation.name() == "weather" {
    ///         return operation.answer(ToolResult::text("as always"));
    ///     }
    ///     next.run(operation).await
    /// });
    /// # let _ = canned;
    /// ```
    pub fn answer(&self, result: impl Into<Replacement>) -> Result<Reply, Refusal> {
        self.form.write(result.into())
    }

    pub(crate) fn form(&self) -> &Arc<Form> {
        &self.form
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Arguments may be secrets.
        formatter.debug_struct("Operation").field("kind", &self.kind).field("name", &self.name).finish_non_exhaustive()
    }
}
