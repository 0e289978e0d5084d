//! Runs an operation through the nested layers of an app.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::response::OperationErrorKind;
use super::{Layer, Operation, OperationError, Response};
use crate::component::describe::Description;
use crate::component::invocation::{BoxedCall, box_call};
use crate::component::output::{OutputDescription, OutputKind};
use crate::component::result_writer::ResultWriter;
use crate::error::ToolError;
use crate::util::catch_panic::run_catching_async;

/// The future of an operation's result.
pub(crate) type OperationFuture<'a> = Pin<Box<dyn Future<Output = Result<Response, OperationError>> + Send + 'a>>;

/// A [`Layer`] as a trait object.
pub(crate) trait ErasedLayer: Send + Sync {
    fn handle(&self, operation: Operation, next: Next) -> OperationFuture<'_>;
}

impl<L: Layer> ErasedLayer for L {
    fn handle(&self, operation: Operation, next: Next) -> OperationFuture<'_> {
        Box::pin(Layer::handle(self, operation, next))
    }
}

/// The engine inside of all layers, which calls the handler.
pub(crate) trait InnerHandler: Send + Sync {
    fn call(self: Arc<Self>, operation: Operation) -> OperationFuture<'static>;
}

/// The layers around a component, outermost first. Most components have no layers, which costs them one comparison.
#[derive(Clone, Default)]
pub(crate) struct LayerChain(Option<Arc<[Arc<dyn ErasedLayer>]>>);

impl LayerChain {
    pub(crate) fn new(layers: Vec<Arc<dyn ErasedLayer>>) -> LayerChain {
        LayerChain((!layers.is_empty()).then(|| layers.into()))
    }

    /// Returns these layers followed by inner ones, such as those of an app that is mounted.
    pub(crate) fn wrap(&self, inner: &LayerChain) -> LayerChain {
        match (&self.0, &inner.0) {
            (_, None) => self.clone(),
            (None, _) => inner.clone(),
            (Some(outer), Some(inner)) => LayerChain(Some(outer.iter().chain(inner.iter()).cloned().collect())),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Runs an operation through the layers to the core.
    pub(crate) async fn run(
        &self,
        operation: Operation,
        core: Arc<dyn InnerHandler>,
    ) -> Result<Response, OperationError> {
        Next { chain: self.clone(), at: 0, core }.run(operation).await
    }

    /// Runs an operation as a handler invocation that can be polled and that writes its own response.
    pub(crate) fn start(&self, operation: Operation, core: Arc<dyn InnerHandler>) -> BoxedCall {
        let chain = self.clone();
        box_call(ResponseOutput, async move { Ok(chain.run(operation, core).await) })
    }
}

impl fmt::Debug for LayerChain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} layers", self.0.as_ref().map_or(0, |layers| layers.len()))
    }
}

/// The rest of the chain: the inner layers and the handler.
///
/// A layer may clone it to run the operation again, for example after a failure. The handler then repeats its side
/// effects.
#[derive(Clone)]
pub struct Next {
    chain: LayerChain,
    /// The number of layers already entered.
    at: usize,
    core: Arc<dyn InnerHandler>,
}

impl Next {
    /// Continues with an operation, and returns its result.
    ///
    /// # Errors
    ///
    /// An [`OperationError`] is a JSON-RPC error of an inner layer or of the handler. The result of a tool is a
    /// [`Response`], even if the tool has failed: see [`Response::is_error`].
    pub async fn run(self, operation: Operation) -> Result<Response, OperationError> {
        let response_format = Arc::clone(operation.response_format());
        let layer = self.chain.0.as_ref().and_then(|layers| layers.get(self.at));
        // A panic of a layer is a result for the layers around it.
        let outcome = match layer {
            Some(layer) => {
                let next = Next { chain: self.chain.clone(), at: self.at + 1, core: Arc::clone(&self.core) };
                run_catching_async(|| layer.handle(operation, next)).await
            }
            None => run_catching_async(|| self.core.call(operation)).await,
        };
        response_format.resolve_result(outcome)
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Next").field("chain", &self.chain).field("passed", &self.at).finish_non_exhaustive()
    }
}

/// Writes the result of the outermost layer.
struct ResponseOutput;

impl OutputDescription for ResponseOutput {
    fn describe(&self, _: &mut Description) {}
}

impl OutputKind<Result<Response, OperationError>> for ResponseOutput {
    type Rendered = Result<Response, OperationError>;

    fn write(&self, outcome: Result<Response, OperationError>, writer: &mut ResultWriter<'_>) {
        Self::write_rendered(outcome, writer);
    }

    fn render(&self, outcome: Result<Response, OperationError>) -> Result<Self::Rendered, ToolError> {
        Ok(outcome)
    }

    fn write_rendered(outcome: Result<Response, OperationError>, writer: &mut ResultWriter<'_>) {
        match outcome {
            Ok(reply) => writer.raw(reply.json(), reply.outcome()),
            Err(OperationError(OperationErrorKind::Rpc(error))) => writer.rpc_error(error),
            Err(OperationError(OperationErrorKind::Tool(error))) => writer.error(error),
        }
    }
}
