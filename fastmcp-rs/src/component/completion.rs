//! Suggestions for the arguments of prompts and the variables of resource templates.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>

use std::future::Future;
use std::marker::PhantomData;

use crate::component::completion_request::{CompletionFuture, CompletionRequest, CompletionUse};
use crate::component::describe::Description;
use crate::component::extract::{self, FromContext, Requirements};
use crate::component::output::{OutputDescription, OutputKind};
use crate::component::result_writer::ResultWriter;
use crate::context::{Context, blocking};
use crate::error::ToolError;

/// A completion function: its first parameter is [`CompletionRequest`], and all others are injected.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this function cannot complete an argument",
    label = "not a completion function",
    note = "it takes `CompletionRequest` by value, then at most three injected values such as `State<T>`, and returns `Vec<String>` or a `Result` of it; it may be an `async fn`"
)]
pub trait CompletionHandler<Arguments>: Send + 'static {
    fn complete(self, request: CompletionRequest, context: Context) -> CompletionFuture;

    /// Declares the requirements of the injected values.
    fn requirements(requirements: &mut Requirements);
}

/// The return type of a completion function.
#[doc(hidden)]
pub trait Candidates {
    fn candidates(self) -> Result<Vec<String>, ToolError>;
}

impl Candidates for Vec<String> {
    fn candidates(self) -> Result<Vec<String>, ToolError> {
        Ok(self)
    }
}

impl<E: Into<ToolError>> Candidates for Result<Vec<String>, E> {
    fn candidates(self) -> Result<Vec<String>, ToolError> {
        self.map_err(Into::into)
    }
}

#[doc(hidden)]
pub struct SyncMarker<T>(PhantomData<T>);
#[doc(hidden)]
pub struct AsyncMarker<T>(PhantomData<T>);

macro_rules! handlers {
    ($($injected:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<F, R, $($injected: FromContext),*> CompletionHandler<SyncMarker<(R, $($injected,)*)>> for F
        where
            F: FnOnce(CompletionRequest, $($injected),*) -> R + Send + 'static,
            R: Candidates,
        {
            #[allow(non_snake_case)]
            fn complete(self, request: CompletionRequest, context: Context) -> CompletionFuture {
                Box::pin(async move {
                    $(let $injected = extract::extract::<$injected>(&context).await?;)*
                    blocking::run_blocking(context, move || self(request, $($injected),*).candidates()).await?
                })
            }

            fn requirements(_requirements: &mut Requirements) {
                $($injected::requirements(_requirements);)*
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, R, $($injected: FromContext),*> CompletionHandler<AsyncMarker<(R, $($injected,)*)>> for F
        where
            F: FnOnce(CompletionRequest, $($injected),*) -> R + Send + 'static,
            R: Future + Send,
            R::Output: Candidates,
        {
            fn complete(self, request: CompletionRequest, context: Context) -> CompletionFuture {
                Box::pin(async move {
                    // Without injected values, the context has no use.
                    let _ = &context;
                    self(request, $(extract::extract::<$injected>(&context).await?),*).await.candidates()
                })
            }

            fn requirements(_requirements: &mut Requirements) {
                $($injected::requirements(_requirements);)*
            }
        }
    };
}
handlers!();
handlers!(A);
handlers!(A, B);
handlers!(A, B, C);

/// Uses a completion function; the macro generates this call from `#[arg(complete = …)]`.
#[doc(hidden)]
pub fn complete<M, F: CompletionHandler<M>>(function: F, by: CompletionUse<'_>) -> Option<CompletionFuture> {
    match by {
        CompletionUse::Call(request, context) => Some(function.complete(request, context)),
        CompletionUse::Require(requirements) => {
            F::requirements(requirements);
            None
        }
    }
}

/// Writes the result of a completion.
pub(crate) struct CandidatesOutput;

impl OutputDescription for CandidatesOutput {
    fn describe(&self, _: &mut Description) {}
}

impl OutputKind<Vec<String>> for CandidatesOutput {
    type Rendered = Vec<String>;

    fn write(&self, candidates: Vec<String>, writer: &mut ResultWriter<'_>) {
        writer.candidates(candidates);
    }

    fn render(&self, candidates: Vec<String>) -> Result<Vec<String>, ToolError> {
        Ok(candidates)
    }

    fn write_rendered(candidates: Vec<String>, writer: &mut ResultWriter<'_>) {
        writer.candidates(candidates);
    }
}
