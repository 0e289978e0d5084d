//! Suggestions for the arguments of prompts and the variables of resource templates.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use super::answer::Answer;
use super::description::Description;
use super::inject::FromContext;
use super::output::{OutputDescription, OutputKind};
use crate::context::Context;
use crate::error::ToolError;

/// The input of a completion: the text to complete, and the arguments that already have values.
///
/// A completion function takes it first, then injected values (at most three), and returns candidates. The server ranks
/// them: first those that begin with the text, then those that contain it, then similar ones; at most 100 are sent. As
/// with tools, an `async fn` runs on the runtime and a `fn` on a thread that may block.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
/// use fastmcp_rs::Completing;
///
/// fn cities(completing: Completing) -> Vec<String> {
///     match completing.argument("country") {
///         Some("fr") => vec!["Paris".into(), "Lyon".into()],
///         _ => vec!["Berlin".into(), "Bonn".into()],
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completing {
    pub(crate) text: String,
    pub(crate) arguments: BTreeMap<String, String>,
}

impl Completing {
    /// Returns the text to complete; empty if nothing was typed yet.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the value of another argument, if it has one. Clients before 2025-06-18 do not send these values.
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(String::as_str)
    }
}

/// A type-erased completion function, which finds candidates.
#[doc(hidden)]
pub type Complete = fn(Completing, Context) -> CompletionFuture;
#[doc(hidden)]
pub type CompletionFuture = Pin<Box<dyn Future<Output = Result<Vec<String>, ToolError>> + Send>>;

/// A completion function: its first parameter is [`Completing`], and all others are injected.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this function cannot complete an argument",
    label = "not a completion function",
    note = "it takes `Completing` by value, then at most three injected values such as `State<T>`, and returns `Vec<String>`, or a `Result` of it, also as an `async fn`"
)]
pub trait CompletionHandler<Arguments>: Send + 'static {
    fn complete(self, completing: Completing, context: Context) -> CompletionFuture;
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
pub struct Sync<T>(PhantomData<T>);
#[doc(hidden)]
pub struct Async<T>(PhantomData<T>);

macro_rules! handlers {
    ($($injected:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<F, R, $($injected: FromContext),*> CompletionHandler<Sync<(R, $($injected,)*)>> for F
        where
            F: FnOnce(Completing, $($injected),*) -> R + Send + 'static,
            R: Candidates,
        {
            #[allow(non_snake_case)]
            fn complete(self, completing: Completing, context: Context) -> CompletionFuture {
                Box::pin(async move {
                    $(let $injected = $injected::from_context(&context).await.map_err(Into::into)?;)*
                    context.run_blocking(move || self(completing, $($injected),*).candidates()).await?
                })
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, R, $($injected: FromContext),*> CompletionHandler<Async<(R, $($injected,)*)>> for F
        where
            F: FnOnce(Completing, $($injected),*) -> R + Send + 'static,
            R: Future + Send,
            R::Output: Candidates,
        {
            #[allow(unused_variables)]
            fn complete(self, completing: Completing, context: Context) -> CompletionFuture {
                Box::pin(async move { self(completing, $($injected::from_context(&context).await.map_err(Into::into)?),*).await.candidates() })
            }
        }
    };
}
handlers!();
handlers!(A);
handlers!(A, B);
handlers!(A, B, C);

/// Calls a completion function; the macro generates this call from `#[arg(complete = …)]`.
#[doc(hidden)]
pub fn complete<M, F: CompletionHandler<M>>(function: F, completing: Completing, context: Context) -> CompletionFuture {
    function.complete(completing, context)
}

/// The maximum number of candidates in a response.
pub(crate) const MAX_VALUES: usize = 100;

/// The maximum length, in bytes, of texts whose similarity is computed: this takes time in proportion to the product of
/// their lengths.
const MAX_LIKE: usize = 256;
/// The dissimilarity, in thousandths, at which a candidate is no longer offered.
const UNLIKENESSES: usize = 300;

/// Sorts matching candidates by rank: first those that begin with the text, then those that contain it, then similar
/// ones, the most similar first; candidates of equal rank keep their order. All others are removed.
pub(crate) fn rank(candidates: Vec<String>, text: &str) -> Vec<String> {
    if text.is_empty() {
        return candidates;
    }
    let text = text.to_lowercase();
    let mut by_rank = vec![Vec::new(); 2 + UNLIKENESSES];
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        let rank = match () {
            () if lower.starts_with(&text) => 0,
            () if lower.contains(&text) => 1,
            () if text.len().max(lower.len()) > MAX_LIKE => continue,
            // A higher similarity gives a lower rank.
            () => 2 + ((1.0 - strsim::jaro_winkler(&text, &lower)) * 1000.0) as usize,
        };
        if let Some(group) = by_rank.get_mut(rank) {
            group.push(candidate);
        }
    }
    by_rank.into_iter().flatten().collect()
}

/// Writes the result of a completion.
pub(crate) struct CandidatesOutput;

impl OutputDescription for CandidatesOutput {
    fn describe(&self, _: &mut Description) {}
}

impl OutputKind<Vec<String>> for CandidatesOutput {
    type Rendered = Vec<String>;

    fn write(&self, candidates: Vec<String>, answer: &mut Answer<'_>) {
        answer.candidates(candidates);
    }

    fn render(&self, candidates: Vec<String>) -> Result<Vec<String>, ToolError> {
        Ok(candidates)
    }

    fn write_rendered(candidates: Vec<String>, answer: &mut Answer<'_>) {
        answer.candidates(candidates);
    }
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn candidates_with_the_prefix_come_first() {
        let words = ["ORD-101", "ORD-102", "XORD-1", "0RD-101", "banana"].map(String::from).to_vec();
        assert_eq!(rank(words.clone(), "ord-1"), ["ORD-101", "ORD-102", "XORD-1", "0RD-101"]);
        assert_eq!(rank(words.clone(), ""), words);
    }

    #[test]
    fn a_long_text_is_completed_quickly() {
        let words: Vec<String> = (0..1000).map(|number| format!("{number:0300}")).collect();
        let start = std::time::Instant::now();
        assert!(rank(words.clone(), &"1".repeat(1 << 20)).is_empty());
        assert_eq!(rank(words, &"0".repeat(299)).len(), 10);
        assert!(start.elapsed().as_millis() < 500);
    }
}
