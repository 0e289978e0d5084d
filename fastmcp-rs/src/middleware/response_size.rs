//! Limits the size of results.

use serde_json::json;

use super::{Layer, Method, Next, Operation, OperationError, Response};
use crate::content::tool_result::ToolResult;
use crate::protocol::write::code;
use crate::util::count::counted;

/// Rejects results that are too large for a model or a client.
///
/// Instead of a larger result of a tool, the model gets a failed result that states the size and suggests to ask for
/// less. For resources and prompts, the client gets a JSON-RPC error (-32603) with `size` and `limit` in its `data`.
/// Completions, `server/discover` and lists, which are paginated, pass unchanged.
///
/// # Example
///
/// ```
/// use fastmcp_rs::middleware::ResultSizeLimit;
/// use fastmcp_rs::prelude::*;
///
/// let app = App::empty("modest").layer(ResultSizeLimit::bytes(100_000));
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to an app"]
pub struct ResultSizeLimit {
    limit: usize,
}

impl ResultSizeLimit {
    /// Allows results of at most `limit` bytes of JSON. Structured content counts twice, because it is sent twice: as
    /// values and as text.
    pub fn bytes(limit: usize) -> ResultSizeLimit {
        ResultSizeLimit { limit }
    }
}

#[diagnostic::do_not_recommend]
impl Layer for ResultSizeLimit {
    async fn handle(&self, operation: Operation, next: Next) -> Result<Response, OperationError> {
        let (method, context) = (operation.method(), operation.context().clone());
        let reply = next.run(operation).await?;
        let (size, limit) = (reply.json().len(), self.limit);
        if size <= limit {
            return Ok(reply);
        }
        let name = context.component_name();
        let (bytes, most) = (counted(size, "byte"), counted(limit, "byte"));
        match method {
            Method::CallTool => reply.replace(ToolResult::error(format!(
                "The result of `{name}` has {bytes}; the limit is {most}. Narrow the arguments, or request \
                 a part at a time."
            ))),
            Method::ReadResource | Method::GetPrompt => {
                let text = format!("Internal error: the result of `{name}` has {bytes}; the limit is {most}");
                Err(OperationError::new(code::INTERNAL_ERROR, text).data(json!({"size": size, "limit": limit})))
            }
            _ => Ok(reply),
        }
    }
}
