//! Prompts that are created at run time.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::Location as Place;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{DynamicHandler, HandlerFn};
use crate::checks::components::check_argument_names;
use crate::checks::names::check_component_name;
use crate::component::arguments::text_values;
use crate::component::definition::DefinitionText;
use crate::component::describe::{ArgumentInfo, ComponentInterface};
use crate::component::icon::Icon;
use crate::component::invocation::box_call;
use crate::component::metadata::{ComponentBase, metadata_methods};
use crate::component::prompt::{IntoMessages, MessagesOutput};
use crate::content::message::Message;
use crate::context::Context;
use crate::error::ToolError;

/// A prompt that is created at run time: from its arguments and a closure.
///
/// The closure gets the arguments by name (without optional arguments that were not given) and the call's [`Context`].
/// It returns a value that implements [`IntoMessages`]: a text or a block, a [`Message`], or a `Vec` of messages.
///
/// Add it with [`App::add_prompt`](crate::App::add_prompt), or with
/// [`AppHandle::add_prompt`](crate::AppHandle::add_prompt) while the server runs.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// let explain = DynamicPrompt::new("explain", |arguments, _ctx| async move {
///     let style = arguments.get("style").map_or("plain", String::as_str);
///     Ok::<_, ToolError>(format!("Explain {} in a {style} style.", arguments["topic"]))
/// })
/// .description("Explains a topic.")
/// .argument("topic", "The topic of the explanation.")
/// .optional_argument("style", "The style of the text.");
///
/// let app = App::empty("writer").add_prompt(explain);
/// assert!(app.check().is_ok());
/// ```
#[must_use = "a prompt does nothing until it is added"]
pub struct DynamicPrompt {
    pub(crate) base: ComponentBase,
    arguments: Vec<(ArgumentInfo, bool)>,
    handler: HandlerFn<BTreeMap<String, String>, Vec<Message>>,
}

metadata_methods!(DynamicPrompt);

impl DynamicPrompt {
    /// Creates a prompt from a name (1 to 128 ASCII letters, digits, `_`, `-` and `.`) and a closure that returns its
    /// messages.
    #[track_caller]
    pub fn new<F, W, R, E>(name: impl Into<String>, handler: F) -> DynamicPrompt
    where
        F: Fn(BTreeMap<String, String>, Context) -> W + Send + Sync + 'static,
        W: Future<Output = Result<R, E>> + Send + 'static,
        R: IntoMessages,
        E: Into<ToolError>,
    {
        DynamicPrompt {
            base: ComponentBase::new(name, Place::caller()),
            arguments: Vec::new(),
            handler: Box::new(move |arguments, context| {
                let work = handler(arguments, context);
                Box::pin(async move { work.await.map(IntoMessages::into_messages).map_err(Into::into) })
            }),
        }
    }

    /// Adds a required argument with its description, which may be empty.
    pub fn argument(self, name: impl Into<String>, description: impl Into<String>) -> DynamicPrompt {
        self.with_argument(name.into(), description.into(), true)
    }

    /// Adds an optional argument with its description, which may be empty.
    pub fn optional_argument(self, name: impl Into<String>, description: impl Into<String>) -> DynamicPrompt {
        self.with_argument(name.into(), description.into(), false)
    }

    fn with_argument(mut self, name: String, description: String, required: bool) -> DynamicPrompt {
        let (name, description) = (DefinitionText::Owned(name), DefinitionText::Owned(description));
        let argument = ArgumentInfo { name, title: None, description, complete: None };
        self.arguments.push((argument, required));
        self
    }

    /// Returns the parts that a server stores.
    pub(crate) fn into_parts(self) -> (ComponentBase, ComponentInterface, DynamicHandler) {
        let mut problems = self.base.check("prompt");
        check_component_name(&self.base.metadata.name, "prompt", &mut problems);
        let names = || self.arguments.iter().map(|(argument, _)| argument.name.as_ref());
        check_argument_names(names(), &mut problems);
        let properties: Map<_, _> = names().map(|name| (name.to_owned(), json!({ "type": "string" }))).collect();
        let required = self.arguments.iter().filter(|(_, required)| *required);
        let required: Vec<Value> = required.map(|(argument, _)| argument.name.as_ref().into()).collect();
        let mut input = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if !required.is_empty() {
            input["required"] = required.into();
        }
        let parameters = self.arguments.into_iter().map(|(argument, _)| argument).collect();
        let handler = self.handler;
        let closure = move |arguments, context| box_call(MessagesOutput, handler(text_values(&arguments), context));
        (
            self.base,
            ComponentInterface { parameters, ..ComponentInterface::for_dynamic(input, problems) },
            DynamicHandler::new(closure),
        )
    }
}
