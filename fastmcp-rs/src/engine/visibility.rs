//! The visibility of components for one request.
//!
//! An app may have a function that decides whether a component is visible. Lists and all methods that name a component
//! call it, so that a hidden component is answered like a missing one. Most apps have no such function, and then
//! nothing is created here.
//!
//! The function is user code and may block. Until it has proved to be quick (`registry::VisibilityPace`), the thread
//! that reads does not call it: a request that needs it is served on a thread of the pool for blocking functions
//! (`Connection::serve_on_pool`), and a worker of the runtime lets other tasks run in the meantime
//! (`block_in_place_if_possible`).

use std::cell::{Cell, OnceCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::call::in_flight::{Admission, CallPermit};
use super::call::{CallerInfo, run_catching};
use super::{Connection, IncomingRequest, write_frame};
use crate::client_features::conversation::{CallClientRequests, RequestChannel};
use crate::context::{self, Context, blocking};
use crate::exec::runtime::inside;
use crate::exec::thread_pool;
use crate::json::object::string_value;
use crate::protocol::Revision;
use crate::protocol::frame::{Frame, FrameError};
use crate::protocol::id::{Id, IdKey};
use crate::protocol::server_info::ServerInfo;
use crate::protocol::write::{self, RpcError, code};
use crate::registry::{
    ComponentList, ListEntry, PromptEntry, Registry, ResourceEntry, TemplateEntry, ToolEntry, VisibilityCheck,
};
use crate::sealing::RequestState;
use crate::util::catch_panic;

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
    Request(&'a Arc<Connection>, &'a IncomingRequest<'a>, &'a CallerInfo<'a>),
    /// A call that is already running.
    Running(&'a Context),
}

impl Connection {
    /// Returns the visibility of components for a request.
    pub(crate) fn visibility<'a>(
        self: &'a Arc<Self>,
        request: &'a IncomingRequest<'a>,
        caller: &'a CallerInfo<'a>,
    ) -> Visibility<'a> {
        let viewer = Viewer::Request(self, request, caller);
        Visibility { registry: request.registry, viewer, checked_request: OnceCell::new(), check_time: Cell::new(None) }
    }

    /// Serves a message on a thread of the pool, if it addresses components and deciding their visibility may be slow.
    /// Returns true if it does so.
    pub(crate) fn offload_if_slow(self: &Arc<Self>, registry: &Registry, message: &str, out: &mut Vec<u8>) -> bool {
        let Some(subject) = FilteredMessage::classify(message).filter(|_| registry.has_slow_visibility()) else {
            return false;
        };
        let (id, key) = match &subject {
            FilteredMessage::Request { id, key } => (Some(&**id), Some(key.clone())),
            FilteredMessage::Batch => (None, None),
        };
        let refused = match self.in_flight().acquire_or_queue(key, message) {
            Ok(permit) => {
                // The frames that are ready go first: one of them may be the response that opens the session.
                self.queue_output(out);
                let (connection, message) = (Arc::clone(self), message.into());
                tokio::spawn(async move {
                    connection.serve_with_permit(message, permit).await;
                    connection.serve_queued().await;
                });
                return true;
            }
            Err(Admission::DuplicateId) => {
                let text = "Invalid request: another request with this id is not yet answered";
                RpcError::new(code::INVALID_REQUEST, text)
            }
            Err(Admission::Overload) => {
                let text = "Internal error: too many calls wait already; call again when some are answered";
                RpcError::new(code::INTERNAL_ERROR, text)
            }
            Err(Admission::Start | Admission::Wait) => return true,
        };
        write_frame(out, |out| write::write_error(out, id, &refused));
        true
    }

    /// Serves a message that has its place, and sends the frames that are ready.
    pub(crate) async fn serve_with_permit(self: &Arc<Self>, message: Box<str>, permit: CallPermit) {
        // The message is counted until its response is on its way, whatever happens to its own place.
        let guard = self.in_flight().reserve_for_response();
        let registry = self.server.registry.load();
        let mut out = Vec::new();
        if registry.has_slow_visibility() && FilteredMessage::classify(&message).is_some() {
            out = self.serve_on_pool(registry, message, permit).await;
        } else {
            self.serve_message(&registry, &message, Some(permit), &mut out);
        }
        self.outgoing().wait_for_capacity().await;
        self.outgoing().push(&out);
        drop(guard);
    }

    async fn serve_on_pool(
        self: &Arc<Self>,
        registry: Arc<Registry>,
        message: Box<str>,
        permit: CallPermit,
    ) -> Vec<u8> {
        let connection = Arc::clone(self);
        let id = match FilteredMessage::classify(&message) {
            Some(FilteredMessage::Request { id, .. }) => Some(id),
            _ => None,
        };
        let cancellation = permit.cancellation();
        let runtime = Handle::current();
        let served = blocking::run("App::visible_if", move || {
            let mut out = Vec::new();
            inside(&runtime, || connection.serve_message(&registry, &message, Some(permit), &mut out));
            if cancellation.is_cancelled() {
                // A list is not a call that settles this itself. The id may belong to another request by now.
                out.clear();
            }
            out
        });
        served.await.unwrap_or_else(|_| {
            let mut out = Vec::new();
            let error = RpcError::new(code::INTERNAL_ERROR, "Internal error: no thread could be started");
            write_frame(&mut out, |out| write::write_error(out, id.as_deref(), &error));
            out
        })
    }
}

/// A message whose response depends on the visibility of components.
enum FilteredMessage {
    /// A request; `id` is the JSON text, and `key` is its comparable form.
    Request {
        id: Box<str>,
        key: IdKey,
    },
    Batch,
}

impl FilteredMessage {
    fn classify(message: &str) -> Option<FilteredMessage> {
        let mut frame = Frame::default();
        match frame.read(message) {
            Ok(()) => {}
            Err(FrameError::Batch) => return Some(FilteredMessage::Batch),
            Err(_) => return None,
        }
        let method = frame.method.and_then(string_value)?;
        let (area, _) = method.split_once('/')?;
        let id = frame.id.and_then(Id::parse)?;
        let is_needed = matches!(area, "tools" | "resources" | "prompts" | "completion" | "subscriptions");
        is_needed.then(|| FilteredMessage::Request { id: id.as_str().into(), key: id.key() })
    }
}

/// Does work that may block, while the other tasks of this thread's runtime go on. The only thread of a runtime cannot
/// do that, and waits.
fn block_in_place_if_possible<T>(work: impl FnOnce() -> T) -> T {
    let is_only_thread = || Handle::try_current().is_ok_and(|it| it.runtime_flavor() != RuntimeFlavor::MultiThread);
    if is_only_thread() && !thread_pool::is_pool_thread() {
        return work();
    }
    let (mut work, mut result) = (Some(work), None);
    let begun = catch_panic::run_recording(|| {
        let begin = || tokio::task::block_in_place(|| result = work.take().map(|work| work()));
        catch_unwind(AssertUnwindSafe(begin))
    });
    match (result, work) {
        (Some(result), _) => result,
        // A `LocalSet` does not allow it, whatever the runtime is, and reports that only by a panic.
        (None, Some(work)) => work(),
        (None, None) => resume_unwind(begun.err().unwrap_or_else(|| Box::new("the work has no result"))),
    }
}

impl<'a> Visibility<'a> {
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
            Viewer::Request(connection, request, caller) => {
                let make = || {
                    let client_requests =
                        CallClientRequests::new(RequestChannel::None, RequestState::default(), Map::new());
                    connection.request(request, caller, connection.server.config.timeout, client_requests)
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

    /// Returns the page of a list, as the JSON text of a result, or `None` for a cursor that the list did not create.
    pub(crate) fn page<T: ListEntry>(
        &self,
        list: &ComponentList<T>,
        revision: Revision,
        cursor: Option<&str>,
        server_info: &ServerInfo,
    ) -> Option<Arc<[u8]>> {
        self.run_lookup(|| list.page(revision, cursor, server_info, |entry| self.is_visible(entry)))
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
