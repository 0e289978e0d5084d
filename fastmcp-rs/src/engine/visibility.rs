//! The visibility of components for one request.
//!
//! An app may have a function that decides whether a component is visible. Lists and all methods that name a component
//! call it, so that a hidden component is answered like a missing one. Most apps have no such function, and then
//! nothing is created here.
//!
//! The function is user code and may block. Until it has proved to be quick (`registry::DecisionPace`), the thread that
//! reads does not call it: a request that needs it is served on a thread of the pool for blocking functions
//! (`Connection::serve_on_pool`), and a worker of the runtime lets other tasks run in the meantime (`let_others_run`).

use std::cell::{Cell, OnceCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::call::in_flight::{Admission, Place};
use super::call::{CallFacts, caught};
use super::{Connection, Request, finish_frame};
use crate::client_features::conversation::{Channel, Questions};
use crate::context::{self, Context, blocking};
use crate::exec::runtime::inside;
use crate::exec::thread_pool;
use crate::json::object::text;
use crate::protocol::Revision;
use crate::protocol::frame::{Frame, Malformed};
use crate::protocol::id::{Id, Key};
use crate::protocol::server_info::ServerInfo;
use crate::protocol::write::{self, RpcError, code};
use crate::registry::{Gate, List, Listed, PromptEntry, Registry, ResourceEntry, TemplateEntry, ToolEntry};
use crate::sealing::State;
use crate::util::catch_panic;

pub(crate) struct Sight<'a> {
    registry: &'a Registry,
    asking: Asking<'a>,
    /// The request in the form that the functions see, created when the first one is called.
    shown: OnceCell<Arc<context::Request>>,
    /// The time that the functions took, if one was called.
    took: Cell<Option<Duration>>,
}

impl Drop for Sight<'_> {
    fn drop(&mut self) {
        if let (Some(took), Some(decisions)) = (self.took.get(), &self.registry.decisions) {
            decisions.record(took);
        }
    }
}

/// The source of the request for which visibility is decided.
enum Asking<'a> {
    Request(&'a Arc<Connection>, &'a Request<'a>, &'a CallFacts<'a>),
    /// A call that is already running.
    Running(&'a Context),
}

impl Connection {
    /// Returns the visibility of components for a request.
    pub(crate) fn sight<'a>(self: &'a Arc<Self>, request: &'a Request<'a>, facts: &'a CallFacts<'a>) -> Sight<'a> {
        let asking = Asking::Request(self, request, facts);
        Sight { registry: request.registry, asking, shown: OnceCell::new(), took: Cell::new(None) }
    }

    /// Serves a message on a thread of the pool, if it addresses components and deciding their visibility may be slow.
    /// Returns true if it does so.
    pub(crate) fn serves_elsewhere(self: &Arc<Self>, registry: &Registry, message: &str, out: &mut Vec<u8>) -> bool {
        let Some(subject) = Deciding::of(message).filter(|_| registry.decides_slowly()) else { return false };
        let (id, key) = match &subject {
            Deciding::Request { id, key } => (Some(&**id), Some(key.clone())),
            Deciding::Batch => (None, None),
        };
        let refused = match self.in_flight().reserve_or_wait(key, message) {
            Ok(place) => {
                // The frames that are ready go first: one of them may be the response that opens the session.
                self.send_now(out);
                let (connection, message) = (Arc::clone(self), message.into());
                tokio::spawn(async move {
                    connection.serve_reserved(message, place).await;
                    connection.resume().await;
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
        finish_frame(out, |out| write::error(out, id, &refused));
        true
    }

    /// Serves a message that has its place, and sends the frames that are ready.
    pub(crate) async fn serve_reserved(self: &Arc<Self>, message: Box<str>, place: Place) {
        // The message is counted until its response is on its way, whatever happens to its own place.
        let guard = self.in_flight().guard();
        let registry = self.server.components.load();
        let mut out = Vec::new();
        if registry.decides_slowly() && Deciding::of(&message).is_some() {
            out = self.serve_on_pool(registry, message, place).await;
        } else {
            self.serve(&registry, &message, Some(place), &mut out);
        }
        self.outbox().room().await;
        self.outbox().push(&out);
        drop(guard);
    }

    async fn serve_on_pool(self: &Arc<Self>, registry: Arc<Registry>, message: Box<str>, place: Place) -> Vec<u8> {
        let connection = Arc::clone(self);
        let id = match Deciding::of(&message) {
            Some(Deciding::Request { id, .. }) => Some(id),
            _ => None,
        };
        let cancellation = place.cancellation();
        let runtime = Handle::current();
        let served = blocking::run("App::visible", move || {
            let mut out = Vec::new();
            inside(&runtime, || connection.serve(&registry, &message, Some(place), &mut out));
            if cancellation.is_cancelled() {
                // A list is not a call that settles this itself. The id may belong to another request by now.
                out.clear();
            }
            out
        });
        served.await.unwrap_or_else(|_| {
            let mut out = Vec::new();
            let error = RpcError::new(code::INTERNAL_ERROR, "Internal error: no thread could be started");
            finish_frame(&mut out, |out| write::error(out, id.as_deref(), &error));
            out
        })
    }
}

/// A message whose response depends on the visibility of components.
enum Deciding {
    /// A request; `id` is the JSON text, and `key` is its comparable form.
    Request {
        id: Box<str>,
        key: Key,
    },
    Batch,
}

impl Deciding {
    fn of(message: &str) -> Option<Deciding> {
        let mut frame = Frame::default();
        match frame.read(message) {
            Ok(()) => {}
            Err(Malformed::Batch) => return Some(Deciding::Batch),
            Err(_) => return None,
        }
        let method = frame.method.and_then(text)?;
        let (area, _) = method.split_once('/')?;
        let id = frame.id.and_then(Id::parse)?;
        let is_needed = matches!(area, "tools" | "resources" | "prompts" | "completion" | "subscriptions");
        is_needed.then(|| Deciding::Request { id: id.as_str().into(), key: id.key() })
    }
}

/// Does work that may block, while the other tasks of this thread's runtime go on. The only thread of a runtime cannot do
/// that, and waits.
fn let_others_run<T>(work: impl FnOnce() -> T) -> T {
    let is_only_thread = || Handle::try_current().is_ok_and(|it| it.runtime_flavor() != RuntimeFlavor::MultiThread);
    if is_only_thread() && !thread_pool::is_thread_of_pool() {
        return work();
    }
    let (mut work, mut result) = (Some(work), None);
    let begun = catch_panic::watched(|| {
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

impl<'a> Sight<'a> {
    /// Returns the visibility of components for a request that is already being answered.
    pub(crate) fn of(context: &'a Context, registry: &'a Registry) -> Sight<'a> {
        Sight { registry, asking: Asking::Running(context), shown: OnceCell::new(), took: Cell::new(None) }
    }

    pub(crate) fn registry(&self) -> &'a Registry {
        self.registry
    }

    fn context(&self, gate: &Gate) -> Context {
        let request = match self.asking {
            Asking::Running(context) => context.request.clone(),
            Asking::Request(connection, request, facts) => {
                let make = || {
                    let questions = Questions::new(Channel::None, State::default(), Map::new());
                    connection.request(request, facts, connection.server.config.timeout, questions)
                };
                Some(Arc::clone(self.shown.get_or_init(make)))
            }
        };
        Context::new(gate.shared(), request)
    }

    /// Returns true if a component is visible to the request.
    fn sees<T: Listed>(&self, entry: &T) -> bool {
        let gates = &entry.handler().gates;
        if gates.is_empty() {
            return true;
        }
        let begin = Instant::now();
        let sees = gates.iter().all(|gate| {
            let context = self.context(gate);
            let open = || gate.opens(entry.kind(), entry.about(), entry.hints(), &context);
            let opens = match caught(open) {
                // One that has been quick so far is called here, and may block all the same, such as for a query.
                Err(panicked) if panicked.is_by_blocking() => caught(|| let_others_run(open)),
                opens => opens,
            };
            // A component is hidden if its function panics.
            opens.unwrap_or_else(|panicked| {
                if let Some(decisions) = &self.registry.decisions {
                    decisions.report_panic(&gate.shared().name, &panicked.0);
                }
                false
            })
        });
        self.took.set(Some(self.took.get().unwrap_or_default() + begin.elapsed()));
        sees
    }

    /// Runs a search for visible components, so that other tasks continue in the meantime if it may be slow.
    #[inline]
    fn look<T>(&self, look: impl FnOnce() -> T) -> T {
        if self.registry.decides_slowly() { let_others_run(look) } else { look() }
    }

    /// Returns the page of a list, as the JSON text of a result, or `None` for a cursor that the list did not create.
    pub(crate) fn page<T: Listed>(
        &self,
        list: &List<T>,
        revision: Revision,
        cursor: Option<&str>,
        server_info: &ServerInfo,
    ) -> Option<Arc<[u8]>> {
        self.look(|| list.page(revision, cursor, server_info, |entry| self.sees(entry)))
    }

    /// Returns the visible template with exactly this text.
    pub(crate) fn template(&self, text: &str) -> Option<&'a TemplateEntry> {
        let template = self.registry.templates.find(text)?;
        self.look(|| self.sees(&**template)).then_some(template)
    }

    /// Returns the visible resource at a URI, and the values of its template's variables.
    pub(crate) fn resource(&self, uri: &str) -> Option<(&'a ResourceEntry, Map<String, Value>)> {
        let registry = self.registry;
        self.look(|| registry.resource(uri, |resource| self.sees(resource), |template| self.sees(template)))
    }

    /// Returns the visible prompt with a name, or the error that there is none.
    pub(crate) fn prompt(&self, name: &str) -> Result<&'a PromptEntry, RpcError> {
        let registry = self.registry;
        self.look(|| {
            registry.prompts.find(name).map(|prompt| &**prompt).filter(|prompt| self.sees(*prompt)).ok_or_else(|| {
                let nearest = registry.nearest_prompt(name, |other| self.sees(other));
                RpcError::invalid_params(unknown("prompt", name, nearest))
            })
        })
    }

    /// Returns the visible tool with a name, or the error that there is none.
    // Every call comes through here.
    #[inline]
    pub(crate) fn tool(&self, name: &str) -> Result<&'a ToolEntry, RpcError> {
        let registry = self.registry;
        self.look(|| {
            registry.tool(name).map(|tool| &**tool).filter(|tool| self.sees(*tool)).ok_or_else(|| {
                let nearest = registry.nearest_tool(name, |other| self.sees(other));
                RpcError::invalid_params(unknown("tool", name, nearest))
            })
        })
    }
}

pub(crate) fn unknown(noun: &str, name: &str, nearest: Option<&str>) -> String {
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
        tokio::spawn(async { assert_eq!(let_others_run(|| let_others_run(|| 1)), 1) }).await.unwrap();
        LocalSet::new().run_until(async { assert_eq!(let_others_run(|| 2), 2) }).await;
        std::thread::spawn(|| assert_eq!(let_others_run(|| 3), 3)).join().unwrap();
        let single = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        std::thread::spawn(move || single().block_on(async { assert_eq!(let_others_run(|| 4), 4) })).join().unwrap();
        let panicked = tokio::spawn(async { let_others_run(|| panic!("on purpose")) }).await.unwrap_err();
        assert_eq!(panicked.into_panic().downcast_ref(), Some(&"on purpose"));
    }
}
