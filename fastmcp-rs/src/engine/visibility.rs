//! The visibility of components for one request.
//!
//! An app may have a function that decides whether a component is visible. Lists and all methods that name a component
//! call it, so that a hidden component is answered like a missing one. Most apps have no such function, and then
//! nothing is created here.
//!
//! The function is user code and may block. Until it has proved to be quick (`registry::VisibilityPace`), the thread that
//! reads does not call it: a request that needs it is handled on a thread of the pool for blocking functions
//! (`receive/offload.rs`), and a worker of the runtime lets other tasks run in the meantime (`block_in_place_if_possible`).

use std::cell::{Cell, OnceCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::request::{CallerInfo, IncomingRequest};
use crate::client_features::conversation::{CallClientRequests, RequestChannel};
use crate::context::{self, Context};
use crate::exec::thread_pool;
use crate::json::object::{Raw, string_value};
use crate::protocol::server_info::ServerInfo;
use crate::protocol::write::RpcError;
use crate::protocol::{Feature, Revision};
use crate::registry::{
    ComponentList, ListEntry, PromptEntry, Registry, ResourceEntry, TemplateEntry, ToolEntry, VisibilityCheck,
};
use crate::sealing::RequestState;
use crate::util::catch_panic::{self, run_catching};

pub(crate) struct Visibility<'a> {
    registry: &'a Registry,
    viewer: Viewer<'a>,
    /// The request in the form that the functions see, created when the first one is called.
    checked_request: OnceCell<Arc<context::CallRequest>>,
    /// The time that the functions took, if one was called.
    check_time: Cell<Option<Duration>>,
}

impl Drop for Visibility<'_> {
    fn drop(&mut self) {
        if let (Some(check_time), Some(visibility_pace)) = (self.check_time.get(), &self.registry.visibility_pace) {
            visibility_pace.record(check_time);
        }
    }
}

/// The source of the request for which visibility is decided.
enum Viewer<'a> {
    Request(&'a IncomingRequest<'a>, &'a CallerInfo<'a>),
    /// A call that is already running.
    Running(&'a Context),
}

/// Does work that may block, while the other tasks of this thread's runtime go on. The only thread of a runtime cannot do
/// that, and waits.
fn block_in_place_if_possible<T>(work: impl FnOnce() -> T) -> T {
    let is_only_thread = || Handle::try_current().is_ok_and(|it| it.runtime_flavor() != RuntimeFlavor::MultiThread);
    if is_only_thread() && !thread_pool::is_pool_thread() {
        return work();
    }
    let (mut work, mut result) = (Some(work), None);
    // `run_catching` would count the panic of a `LocalSet`, which is none of the program's.
    let begun = catch_panic::run_recording(|| {
        let begin = || tokio::task::block_in_place(|| result = work.take().map(|work| work()));
        catch_unwind(AssertUnwindSafe(begin))
    });
    match (result, work) {
        (Some(result), _) => result,
        // A `LocalSet` does not allow it, whatever the runtime is, and reports that only by a panic.
        (None, Some(work)) => work(),
        (None, None) => resume_unwind(begun.err().unwrap_or_else(|| Box::new("the job has no result"))),
    }
}

impl<'a> Visibility<'a> {
    /// Returns the visibility of components for a request.
    pub(crate) fn for_request(request: &'a IncomingRequest<'a>, caller: &'a CallerInfo<'a>) -> Visibility<'a> {
        let viewer = Viewer::Request(request, caller);
        Visibility { registry: request.registry, viewer, checked_request: OnceCell::new(), check_time: Cell::new(None) }
    }

    /// Returns the visibility of components for a request that is already being answered.
    pub(crate) fn for_call(context: &'a Context, registry: &'a Registry) -> Visibility<'a> {
        Visibility {
            registry,
            viewer: Viewer::Running(context),
            checked_request: OnceCell::new(),
            check_time: Cell::new(None),
        }
    }

    pub(crate) fn registry(&self) -> &'a Registry {
        self.registry
    }

    fn context(&self, check: &VisibilityCheck) -> Context {
        let request = match self.viewer {
            Viewer::Running(context) => context.request.clone(),
            Viewer::Request(request, caller) => {
                let make = || {
                    let client_requests =
                        CallClientRequests::new(RequestChannel::None, RequestState::default(), Map::new());
                    request.for_context(caller, request.connection.server.config.timeout, client_requests)
                };
                Some(Arc::clone(self.checked_request.get_or_init(make)))
            }
        };
        Context::new(check.env(), request)
    }

    /// Returns true if a component is visible to the request.
    fn is_visible<T: ListEntry>(&self, entry: &T) -> bool {
        let visibility_checks = &entry.handler().visibility_checks;
        if visibility_checks.is_empty() {
            return true;
        }
        let begin = Instant::now();
        let is_visible = visibility_checks.iter().all(|check| {
            let context = self.context(check);
            let open = || check.is_visible(entry.kind(), entry.metadata(), entry.hints(), &context);
            let is_visible = match run_catching(open) {
                // One that has been quick so far is called here, and may block all the same, such as for a query.
                Err(panicked) if panicked.is_by_blocking() => run_catching(|| block_in_place_if_possible(open)),
                is_visible => is_visible,
            };
            // A component is hidden if its function panics.
            is_visible.unwrap_or_else(|panicked| {
                if let Some(visibility_pace) = &self.registry.visibility_pace {
                    visibility_pace.report_panic(&check.env().name, &panicked.0);
                }
                false
            })
        });
        self.check_time.set(Some(self.check_time.get().unwrap_or_default() + begin.elapsed()));
        is_visible
    }

    /// Runs a search for visible components, so that other tasks continue in the meantime if it may be slow.
    #[inline]
    fn run_lookup<T>(&self, lookup: impl FnOnce() -> T) -> T {
        if self.registry.has_slow_visibility() { block_in_place_if_possible(lookup) } else { lookup() }
    }

    /// Returns the page of a list at a cursor, as the JSON text of a result.
    pub(crate) fn page<T: ListEntry>(
        &self,
        list: &ComponentList<T>,
        revision: Revision,
        cursor: Option<Raw<'_>>,
        server_info: &ServerInfo,
    ) -> Result<Arc<[u8]>, RpcError> {
        let invalid =
            || RpcError::invalid_params("Invalid params: `cursor` must be the `nextCursor` of an earlier page");
        let cursor = match cursor {
            // Some clients send `null` for an absent value.
            Some(raw) if raw.get() == "null" && revision.has(Feature::Sessions) => None,
            Some(raw) => Some(string_value(raw).ok_or_else(invalid)?),
            None => None,
        };
        let page = || list.page(revision, cursor.as_deref(), server_info, |entry| self.is_visible(entry));
        self.run_lookup(page).ok_or_else(invalid)
    }

    /// Returns the visible template with exactly this text.
    pub(crate) fn template(&self, text: &str) -> Option<&'a TemplateEntry> {
        let template = self.registry.templates.find(text)?;
        self.run_lookup(|| self.is_visible(&**template)).then_some(template)
    }

    /// Returns the visible resource at a URI, and the values of its template's variables.
    pub(crate) fn resource(&self, uri: &str) -> Option<(&'a ResourceEntry, Map<String, Value>)> {
        let registry = self.registry;
        self.run_lookup(|| {
            registry.resource(uri, |resource| self.is_visible(resource), |template| self.is_visible(template))
        })
    }

    /// Returns the visible prompt with a name, or the error that there is none.
    pub(crate) fn prompt(&self, name: &str) -> Result<&'a PromptEntry, RpcError> {
        let registry = self.registry;
        self.run_lookup(|| {
            registry.prompts.find(name).map(|prompt| &**prompt).filter(|prompt| self.is_visible(*prompt)).ok_or_else(
                || {
                    let nearest = registry.nearest_prompt(name, |other| self.is_visible(other));
                    RpcError::invalid_params(unknown_component_message("prompt", name, nearest))
                },
            )
        })
    }

    /// Returns the visible tool with a name, or the error that there is none.
    // Every call comes through here.
    #[inline]
    pub(crate) fn tool(&self, name: &str) -> Result<&'a ToolEntry, RpcError> {
        let registry = self.registry;
        self.run_lookup(|| {
            registry.tool(name).map(|tool| &**tool).filter(|tool| self.is_visible(*tool)).ok_or_else(|| {
                let nearest = registry.nearest_tool(name, |other| self.is_visible(other));
                RpcError::invalid_params(unknown_component_message("tool", name, nearest))
            })
        })
    }
}

pub(crate) fn unknown_component_message(noun: &str, name: &str, nearest: Option<&str>) -> String {
    // Text from the peer is truncated: an error is one short sentence.
    let shown: String = name.chars().take(128).collect();
    match nearest {
        Some(nearest) => format!("Unknown {noun}: {shown}; did you mean \"{nearest}\"?"),
        None => format!("Unknown {noun}: {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn blocking_work_runs_in_every_kind_of_runtime() {
        tokio::spawn(async { assert_eq!(block_in_place_if_possible(|| block_in_place_if_possible(|| 1)), 1) })
            .await
            .unwrap();
        LocalSet::new().run_until(async { assert_eq!(block_in_place_if_possible(|| 2), 2) }).await;
        std::thread::spawn(|| assert_eq!(block_in_place_if_possible(|| 3), 3)).join().unwrap();
        let single = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        std::thread::spawn(move || single().block_on(async { assert_eq!(block_in_place_if_possible(|| 4), 4) }))
            .join()
            .unwrap();
        let panicked = tokio::spawn(async { block_in_place_if_possible(|| panic!("on purpose")) }).await.unwrap_err();
        assert_eq!(panicked.into_panic().downcast_ref(), Some(&"on purpose"));
    }
}
