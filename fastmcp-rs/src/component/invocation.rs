//! The two uses of the one function that a macro generates for a component.
//!
//! It is called with an [`Invocation`]: either to describe the component (once, at start-up) or to call it. Both paths
//! run through the same few lines, so that each type of the signature is checked in one place only.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use pin_project_lite::pin_project;

use super::arguments::{self, ArgumentError};
use super::describe::Description;
use super::output::{OutputDescription, OutputKind, RenderedOutput, RenderedResult};
use super::result_writer::ResultWriter;
use super::slot::Slot;
use crate::context::Context;
use crate::error::ToolError;

/// The purpose of a call of the generated function.
#[doc(hidden)]
pub struct Invocation<'a>(InvocationKind<'a>);

enum InvocationKind<'a> {
    Describe(&'a mut Description),
    Call { arguments: &'a str, context: Context },
}

/// The outcome of a call of the generated function.
#[doc(hidden)]
pub enum InvocationResult {
    /// The description is filled in.
    Described,
    /// The arguments do not fit the signature.
    Refused(ArgumentError),
    /// The call has started and can be polled.
    Started(BoxedCall),
}

/// A handler that has started.
pub(crate) type BoxedCall = Pin<Box<dyn CallFuture>>;

impl<'a> Invocation<'a> {
    pub(crate) fn describe(description: &'a mut Description) -> Self {
        Invocation(InvocationKind::Describe(description))
    }

    /// Creates a call; `arguments` is the text of a JSON object that is known to be well formed.
    pub(crate) fn call(arguments: &'a str, context: Context) -> Self {
        Invocation(InvocationKind::Call { arguments, context })
    }

    /// Describes the component, or reads its arguments.
    pub fn begin(self, slots: &mut [&mut dyn Slot], output: &dyn OutputDescription) -> Result<Call, InvocationResult> {
        match self.0 {
            InvocationKind::Describe(description) => {
                for slot in slots {
                    slot.describe(description);
                }
                output.describe(description);
                Err(InvocationResult::Described)
            }
            InvocationKind::Call { arguments, context } => match arguments::decode_arguments(arguments, slots) {
                Ok(()) => Ok(Call { context }),
                Err(error) => Err(InvocationResult::Refused(error)),
            },
        }
    }
}

/// A call whose arguments have been read.
#[doc(hidden)]
pub struct Call {
    context: Context,
}

impl Call {
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Boxes the future: the only allocation of a call that is ready at once.
    ///
    /// rustc shows the line of the bound `Send` in its error about a future that is not, so its comment is for users.
    pub fn run<F, V, K>(self, output: K, future: F) -> InvocationResult
    where
        F: Future<Output = Result<V, ToolError>> + 'static,
        F: Send, // end the value that is named above before the `.await`: use it in a block `{ .. }` of its own
        K: OutputKind<V> + Send + 'static,
    {
        InvocationResult::Started(box_call(output, future))
    }

    /// Does the same for a handler whose result borrows from its arguments, and so was rendered together with them.
    pub fn run_rendered<F, R>(self, future: F) -> InvocationResult
    where
        F: Future<Output = Result<RenderedResult<R>, ToolError>> + 'static,
        F: Send, // end the value that is named above before the `.await`: use it in a block `{ .. }` of its own
        R: Send + 'static,
    {
        self.run(RenderedOutput, future)
    }
}

/// A running call.
#[doc(hidden)]
pub trait CallFuture: Send {
    /// Polls the handler; when it is ready, writes its response.
    fn poll_call(self: Pin<&mut Self>, task: &mut std::task::Context<'_>, writer: &mut ResultWriter<'_>) -> Poll<()>;
}

/// Boxes a handler's future together with the writer of its result.
pub(crate) fn box_call<F, V, K>(output: K, future: F) -> BoxedCall
where
    F: Future<Output = Result<V, ToolError>> + Send + 'static,
    K: OutputKind<V> + Send + 'static,
{
    Box::pin(RunningHandler { future, output })
}

pin_project! {
    /// A handler that keeps its types until its response is written, so that a result is serialised once, directly into
    /// the outgoing buffer.
    ///
    /// An `async` block that awaits the handler would reserve space for it twice, and move it at its first poll.
    struct RunningHandler<F, K> {
        #[pin]
        future: F,
        output: K,
    }
}

impl<F, V, K> CallFuture for RunningHandler<F, K>
where
    F: Future<Output = Result<V, ToolError>> + Send,
    K: OutputKind<V> + Send,
{
    fn poll_call(self: Pin<&mut Self>, task: &mut std::task::Context<'_>, writer: &mut ResultWriter<'_>) -> Poll<()> {
        let this = self.project();
        this.future.poll(task).map(|result| match result {
            Ok(value) => this.output.write(value, writer),
            Err(error) => writer.error(error),
        })
    }
}
