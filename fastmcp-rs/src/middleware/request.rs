//! The operation that a layer handles.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::context::Context;
use crate::middleware::response::{OperationError, OperationResult, Response, ResponseFormat};
use crate::protocol::Revision;
use crate::protocol::method::Method;

/// An operation requested from a server, with the context of the request.
///
/// It is cheap to clone, so a layer can run an operation again.
#[derive(Clone)]
pub struct Operation {
    method: Method,
    name: Arc<str>,
    /// The text of a JSON object.
    arguments: Arc<str>,
    context: Context,
    response_format: Arc<ResponseFormat>,
}

impl Operation {
    pub(crate) fn new(
        method: Method,
        name: &str,
        arguments: &str,
        context: Context,
        response_format: Arc<ResponseFormat>,
    ) -> Operation {
        Operation { method, name: name.into(), arguments: arguments.into(), context, response_format }
    }

    /// Returns the method of the operation.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns the requested name: the name of the tool or prompt, or the URI of the resource. For a completion it is
    /// the name of the prompt or the URI of the template. It is empty for lists and `server/discover`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the component that handles the operation. For a resource, or for a completion of a template,
    /// this is the name of the resource or the template, not the URI, so that the number of names is bounded. For lists
    /// and `server/discover` it is the method. For other methods it equals [`Operation::name`].
    pub fn component_name(&self) -> &str {
        self.context.component_name()
    }

    /// Returns the arguments as the text of a JSON object, before they are checked.
    ///
    /// Arguments of a tool are as the client sent them; arguments of a prompt are strings; arguments of a resource are
    /// the variables of its template, as strings. A completion has its `argument` and `context`, and a list its
    /// `cursor`.
    pub fn arguments_json(&self) -> &str {
        &self.arguments
    }

    /// Reads the arguments into a type such as a `Map<String, Value>`.
    ///
    /// # Errors
    ///
    /// Fails if the arguments do not fit the type.
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.arguments)
    }

    /// Replaces the arguments for the inner layers and the handler.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::middleware;
    /// use serde_json::{Map, Value};
    ///
    /// // Sets a limit where the client sets none.
    /// let limited = middleware::from_fn(|mut operation, next| async move {
    ///     let mut arguments: Map<String, Value> = operation.arguments()?;
    ///     arguments.entry("limit").or_insert_with(|| 10.into());
    ///     operation.set_arguments(arguments);
    ///     next.run(operation).await
    /// });
    /// # let _ = limited;
    /// ```
    pub fn set_arguments(&mut self, arguments: Map<String, Value>) {
        self.arguments = Value::from(arguments).to_string().into();
    }

    /// Returns the context of the request: the principal, the revision, `_meta`, and the means to send progress and log
    /// messages.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the revision of the protocol in which the result is written: the client's, or the newest one if a
    /// handler calls another component of its server. A layer that caches results must keep them per revision.
    ///
    /// # Example
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use std::sync::{Arc, Mutex};
    ///
    /// use fastmcp_rs::middleware::{self, Method, Next, Operation};
    ///
    /// // Reads each resource once.
    /// let kept = Arc::new(Mutex::new(HashMap::new()));
    /// let cache = middleware::from_fn(move |operation: Operation, next: Next| {
    ///     let kept = Arc::clone(&kept);
    ///     async move {
    ///         if operation.method() != Method::ReadResource {
    ///             return next.run(operation).await;
    ///         }
    ///         let key = (operation.name().to_owned(), operation.revision());
    ///         if let Some(response) = kept.lock().unwrap().get(&key).cloned() {
    ///             return Ok(response);
    ///         }
    ///         let response = next.run(operation).await?;
    ///         kept.lock().unwrap().insert(key, middleware::Response::clone(&response));
    ///         Ok(response)
    ///     }
    /// });
    /// # let _ = cache;
    /// ```
    pub fn revision(&self) -> Revision {
        self.response_format.revision
    }

    /// Responds to the operation without calling the handler.
    ///
    /// # Errors
    ///
    /// Fails if the result does not belong to the operation's method, such as the messages of a prompt for a tool.
    /// Return the error as it is.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::middleware::{self, Method};
    /// use fastmcp_rs::prelude::*;
    ///
    /// let canned = middleware::from_fn(|operation, next| async move {
    ///     if operation.method() == Method::CallTool && operation.name() == "weather" {
    ///         return operation.respond(ToolResult::text("as always"));
    ///     }
    ///     next.run(operation).await
    /// });
    /// # let _ = canned;
    /// ```
    pub fn respond(&self, result: impl Into<OperationResult>) -> Result<Response, OperationError> {
        self.response_format.write(result.into())
    }

    pub(crate) fn response_format(&self) -> &Arc<ResponseFormat> {
        &self.response_format
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Arguments may be secrets, so they are not printed.
        formatter
            .debug_struct("Operation")
            .field("method", &self.method)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
