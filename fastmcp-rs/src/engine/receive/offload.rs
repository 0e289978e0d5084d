//! Handles messages on threads of the pool while the app's visibility functions may be slow.
//!
//! Such a function is user code and may block, so the thread that reads does not call it until it has proved to be
//! quick.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::super::call::admission::admission_error;
use super::super::call::in_flight::{Admission, CallPermit};
use super::super::connection::Connection;
use super::super::request::IncomingMessage;
use super::super::response::{write_error, write_error_without_id};
use super::{receive_message, receive_queued};
use crate::context::blocking;
use crate::exec::runtime::inside;
use crate::json::object::string_value;
use crate::protocol::frame::{Frame, FrameError};
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};
use crate::registry::Registry;

/// Handles a message on a thread of the pool, if it addresses components. Returns true if it does so.
pub(super) fn offload_if_filtered(connection: &Arc<Connection>, message: &str, out: &mut Vec<u8>) -> bool {
    let id = match FilteredMessage::classify(message) {
        Some(FilteredMessage::Request(id)) => Some(id),
        Some(FilteredMessage::Batch) => None,
        None => return false,
    };
    match connection.in_flight().acquire_or_queue(id.map(Id::key), message) {
        Ok(permit) => spawn_with_permit(connection, message.into(), permit, out),
        // The message was kept.
        Err(Admission::Start | Admission::Wait) => {}
        Err(refused) => {
            write_rejection(out, id.map(Id::as_str), &admission_error(&refused));
        }
    }
    true
}

fn spawn_with_permit(connection: &Arc<Connection>, message: Box<str>, permit: CallPermit, out: &mut Vec<u8>) {
    // The frames that are ready go first: one of them may be the response that opens the session.
    connection.queue_output(out);
    let connection = Arc::clone(connection);
    tokio::spawn(async move {
        receive_with_permit(&connection, message, permit).await;
        receive_queued(&connection).await;
    });
}

/// Handles a message that has its permit, and sends the frames that are ready.
pub(super) async fn receive_with_permit(connection: &Arc<Connection>, message: Box<str>, permit: CallPermit) {
    // The message is counted until its response is on its way, even if its own permit ends earlier.
    let guard = connection.in_flight().reserve_for_response();
    let registry = connection.server.registry.load();
    let mut out = Vec::new();
    if registry.has_slow_visibility() && FilteredMessage::classify(&message).is_some() {
        out = receive_on_pool(connection, registry, message, permit).await;
    } else {
        let message = IncomingMessage { connection, registry: &registry, text: &message, exchange: None };
        receive_message(message, Some(permit), &mut out);
    }
    connection.queue().wait_for_capacity().await;
    connection.queue().push(&out);
    drop(guard);
}

async fn receive_on_pool(
    connection: &Arc<Connection>,
    registry: Arc<Registry>,
    message: Box<str>,
    permit: CallPermit,
) -> Vec<u8> {
    let connection = Arc::clone(connection);
    let id: Option<Box<str>> = match FilteredMessage::classify(&message) {
        Some(FilteredMessage::Request(id)) => Some(Box::from(id.as_str())),
        _ => None,
    };
    let cancellation = permit.cancellation();
    let runtime = Handle::current();
    let served = blocking::run("App::visible_if", move || {
        let mut out = Vec::new();
        let message = IncomingMessage { connection: &connection, registry: &registry, text: &message, exchange: None };
        inside(&runtime, || receive_message(message, Some(permit), &mut out));
        if cancellation.is_cancelled() {
            // A list is not a call that settles this itself. The id may belong to another request by now.
            out.clear();
        }
        out
    });
    served.await.unwrap_or_else(|_| {
        let mut out = Vec::new();
        let error = RpcError::new(code::INTERNAL_ERROR, "Internal error: the server cannot start a thread");
        write_rejection(&mut out, id.as_deref(), &error);
        out
    })
}

fn write_rejection(out: &mut Vec<u8>, id: Option<&str>, error: &RpcError) {
    match id {
        Some(id) => write_error(out, id, error),
        None => write_error_without_id(out, error),
    };
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
