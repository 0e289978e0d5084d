//! The one function that the macro generates for a tool, seen from both sides.
//!
//! It is called with an [`Invocation`]: either to describe the tool (once, at start) or to call it. Both
//! ways run through the same few lines, so that each type of the signature is checked in one place only.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use pin_project_lite::pin_project;

use super::answer::Answer;
use super::arguments::{self, ArgumentError};
use super::description::Description;
use super::output::{OutputDescription, OutputKind, Rendered, RenderedOutput};
use super::parameter::Slot;
use crate::context::Context;
use crate::error::ToolError;

/// Why the generated function is called.
#[doc(hidden)]
pub struct Invocation<'a>(Mode<'a>);

enum Mode<'a> {
    Describe(&'a mut Description),
    Call { arguments: &'a str, context: Context },
}

/// What came of it.
#[doc(hidden)]
pub enum Invoked {
    /// The description is filled in.
    Described,
    /// The arguments do not fit the signature.
    Refused(ArgumentError),
    /// The call can be polled.
    Started(Started),
}

/// A handler that has begun.
pub(crate) type Started = Pin<Box<dyn CallFuture>>;

impl<'a> Invocation<'a> {
    pub(crate) fn describe(description: &'a mut Description) -> Self {
        Invocation(Mode::Describe(description))
    }

    /// `arguments` is the text of a JSON object that is known to be well formed.
    pub(crate) fn call(arguments: &'a str, context: Context) -> Self {
        Invocation(Mode::Call { arguments, context })
    }

    /// Describes the tool, or reads its arguments.
    pub fn begin(self, slots: &mut [&mut dyn Slot], output: &dyn OutputDescription) -> Result<Call, Invoked> {
        match self.0 {
            Mode::Describe(description) => {
                for slot in slots {
                    slot.describe(description);
                }
                output.describe(description);
                Err(Invoked::Described)
            }
            Mode::Call { arguments, context } => match arguments::decode(arguments, slots) {
                Ok(()) => Ok(Call { context }),
                Err(error) => Err(Invoked::Refused(error)),
            },
        }
    }
}

/// A call whose arguments were read.
#[doc(hidden)]
pub struct Call {
    context: Context,
}

impl Call {
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Boxes the future: the one allocation of a call that is ready at once.
    pub fn run<F, V, K>(self, output: K, future: F) -> Invoked
    where
        F: Future<Output = Result<V, ToolError>> + Send + 'static,
        K: OutputKind<V> + Send + 'static,
    {
        Invoked::Started(started(output, future))
    }

    /// The same for a handler whose result borrows from its arguments, and so was rendered beside them.
    pub fn run_rendered<F, R>(self, future: F) -> Invoked
    where
        F: Future<Output = Result<Rendered<R>, ToolError>> + Send + 'static,
        R: Send + 'static,
    {
        self.run(RenderedOutput, future)
    }
}

/// A call that runs.
#[doc(hidden)]
pub trait CallFuture: Send {
    /// Polls the handler; when it is ready, writes its answer.
    fn poll_call(self: Pin<&mut Self>, task: &mut std::task::Context<'_>, answer: &mut Answer<'_>) -> Poll<()>;
}

/// Boxes what a handler does, and how what it comes to is written.
pub(crate) fn started<F, V, K>(output: K, future: F) -> Started
where
    F: Future<Output = Result<V, ToolError>> + Send + 'static,
    K: OutputKind<V> + Send + 'static,
{
    Box::pin(Running { future, output })
}

pin_project! {
    /// A handler that keeps its types until its answer is written, so that a result is serialised once, straight into
    /// the buffer that goes out.
    ///
    /// An `async` block that awaits the handler would have room for it twice, and move it at its first poll.
    struct Running<F, K> {
        #[pin]
        future: F,
        output: K,
    }
}

impl<F, V, K> CallFuture for Running<F, K>
where
    F: Future<Output = Result<V, ToolError>> + Send,
    K: OutputKind<V> + Send,
{
    fn poll_call(self: Pin<&mut Self>, task: &mut std::task::Context<'_>, answer: &mut Answer<'_>) -> Poll<()> {
        let this = self.project();
        this.future.poll(task).map(|result| match result {
            Ok(value) => this.output.write(value, answer),
            Err(error) => answer.error(error),
        })
    }
}
