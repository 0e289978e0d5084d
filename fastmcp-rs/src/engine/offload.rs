//! Serving of messages whose visibility functions may block.
//!
//! A function of [`App::visible`](crate::App::visible) is user code and may block. Until it has proved to be quick
//! (`registry::VisibilityPace`), the thread that reads does not call it: a request that needs it is served on a thread of
//! the pool for blocking functions.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::call::in_flight::{Admission, CallPermit};
use super::{Connection, write_frame};
use crate::context::blocking;
use crate::exec::runtime::inside;
use crate::json::object::string_value;
use crate::protocol::frame::{Frame, FrameError};
use crate::protocol::id::Id;
use crate::protocol::write::{self, RpcError, code};
use crate::registry::Registry;

impl Connection {
    /// Serves a message on a thread of the pool, if it addresses components and deciding their visibility may be slow.
    /// Returns true if it does so.
    pub(crate) fn offload_if_slow(self: &Arc<Self>, registry: &Registry, message: &str, out: &mut Vec<u8>) -> bool {
        let Some(subject) = FilteredMessage::classify(message).filter(|_| registry.has_slow_visibility()) else {
            return false;
        };
        let id = match &subject {
            FilteredMessage::Request(id) => Some(*id),
            FilteredMessage::Batch => None,
        };
        let key = id.map(Id::key);
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
                let text = "Invalid request: another request with this id is in progress";
                RpcError::new(code::INVALID_REQUEST, text)
            }
            Err(Admission::Overload) => {
                let text = "Internal error: too many calls are waiting; try again later";
                RpcError::new(code::INTERNAL_ERROR, text)
            }
            Err(Admission::Start | Admission::Wait) => return true,
        };
        write_frame(out, |out| write::write_error(out, id.map(Id::as_str), &refused));
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
        let id: Option<Box<str>> = match FilteredMessage::classify(&message) {
            Some(FilteredMessage::Request(id)) => Some(Box::from(id.as_str())),
            _ => None,
        };
        let cancellation = permit.cancellation();
        let runtime = Handle::current();
        let served = blocking::run("App::visible", move || {
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
            let error = RpcError::new(code::INTERNAL_ERROR, "Internal error: the server cannot start a thread");
            write_frame(&mut out, |out| write::write_error(out, id.as_deref(), &error));
            out
        })
    }
}

/// A message whose response depends on the visibility of components.
enum FilteredMessage<'a> {
    Request(Id<'a>),
    Batch,
}

impl FilteredMessage<'_> {
    fn classify(message: &str) -> Option<FilteredMessage<'_>> {
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
        is_needed.then_some(FilteredMessage::Request(id))
    }
}
