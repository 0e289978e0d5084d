//! One message with its own return path, as in HTTP.
//!
//! The transport has already read the frame, because it must know the session of a message before it can select the
//! connection.

use std::sync::Arc;

use super::header_match::check_notification;
use super::stateless::incomplete_meta;
use super::{Connection, DispatchStatus, HttpExchange, PermitState, write_frame};
use crate::auth::principal::Principal;
use crate::client_features::pending_requests::PendingClientRequests;
use crate::context::{ClientDeclaration, Transport};
use crate::engine::Server;
use crate::json::object::string_value;
use crate::outgoing::stream::StreamQueue;
use crate::protocol::frame::Frame;
use crate::protocol::id::Id;
use crate::protocol::write::{self, RpcError};
use crate::protocol::{Feature, Revision};
use crate::registry::Registry;

/// Returns true if a frame has all members that make a request a modern one.
pub(crate) fn is_complete_envelope(frame: &Frame<'_>) -> bool {
    frame.meta().is_some_and(|meta| {
        meta.protocol_version.is_some_and(|version| string_value(version).is_some())
            && meta.client_capabilities.is_some_and(|capabilities| capabilities.get().starts_with('{'))
    })
}

impl Connection {
    /// Creates a connection for a single request.
    pub(crate) fn for_exchange(server: &Arc<Server>, principal: Option<Arc<Principal>>) -> Arc<Connection> {
        Connection::for_any_session(Arc::clone(server), Transport::Http, principal, None)
    }

    /// Creates the connection of a session whose client need not read messages that belong to none of its requests.
    pub(crate) fn for_session(server: &Arc<Server>, principal: Option<Arc<Principal>>) -> Arc<Connection> {
        Connection::for_any_session(Arc::clone(server), Transport::Http, principal, Some(StreamQueue::for_session()))
    }

    /// Creates the connection of a session with a single stream for everything, the transport before Streamable HTTP.
    #[cfg(feature = "legacy-sse")]
    pub(crate) fn for_stream(server: &Arc<Server>, principal: Option<Arc<Principal>>) -> Arc<Connection> {
        let server = Arc::clone(server);
        Arc::new(Connection::for_handshake_with(Feature::HttpWithSse, server, Transport::Http, principal, None))
    }

    /// Returns the revision of the session, once it is open.
    pub(crate) fn session_revision(&self) -> Option<Revision> {
        self.session().map(|session| session.revision)
    }

    /// Returns the client's description of itself, once there is a session.
    pub(crate) fn session_client(&self) -> Option<&ClientDeclaration> {
        self.session().map(|session| &*session.client)
    }

    /// Opens a session that was restored from its id.
    pub(crate) fn restore_session(&self, revision: Revision, client: ClientDeclaration) {
        let lists = self.server.registry.load().capabilities.list_changes;
        self.open_carried(revision, client, lists);
    }

    /// Sets the number that precedes the ids of requests to the client. Has no effect after the first such request.
    pub(crate) fn number_client_requests(&self, base: i64) {
        let _ = self.client_requests.set(Arc::new(PendingClientRequests::starting_after(base)));
    }

    /// Returns true if the request with that id is being served.
    pub(crate) fn is_in_flight(&self, id: Id<'_>) -> bool {
        self.in_flight.get().is_some_and(|calls| calls.contains(&id.key()))
    }

    /// Returns the size, in bytes, of the client's description of itself, which is stored with its session.
    pub(crate) fn session_size(&self) -> usize {
        self.session().map_or(0, |session| session.client.size())
    }

    /// Processes one frame. Frames that are ready are appended to `out`, each with a newline; later frames go through
    /// the outbox of the exchange, and then `exchange.pending` is set. Must be called inside a tokio runtime.
    pub(crate) fn receive_frame(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        frame: &Frame<'_>,
        exchange: &HttpExchange<'_>,
        out: &mut Vec<u8>,
    ) {
        if let DispatchStatus::Pending(call) =
            self.dispatch_frame(registry, message, frame, PermitState::Unrequested, Some(exchange), out)
        {
            exchange.pending.set(true);
            self.spawn_call(call, out);
        }
    }

    /// Does the same for a text that is not a frame: a batch, or malformed input.
    pub(crate) fn receive_text(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        exchange: &HttpExchange<'_>,
        out: &mut Vec<u8>,
    ) {
        if let DispatchStatus::Pending(call) = self.dispatch(registry, message, None, Some(exchange), out) {
            exchange.pending.set(true);
            self.spawn_call(call, out);
        }
    }

    /// Opens a session for a client that has none; only the revision of the session is known.
    pub(crate) fn assume_session(&self, revision: Revision) {
        self.open_session_without_handshake(revision);
    }

    /// Rejects a request that only its header declares to be modern.
    pub(crate) fn reject_bare_request(&self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        write_error(out, frame.id.and_then(Id::parse).map(Id::as_str), &incomplete_meta());
    }

    /// Checks the headers of a modern notification; returns `false` if it is rejected, with the error in `out`.
    pub(crate) fn accepts_notification(&self, method: &str, exchange: &HttpExchange<'_>, out: &mut Vec<u8>) -> bool {
        let checked = exchange.headers.map_or(Ok(()), |headers| check_notification(headers, method));
        match checked {
            Ok(()) => true,
            Err(error) => {
                write_error(out, None, &error);
                false
            }
        }
    }
}

/// Writes an error that does not come from a handler.
pub(crate) fn write_error(out: &mut Vec<u8>, id: Option<&str>, error: &RpcError) {
    write_frame(out, |out| write::write_error(out, id, error));
}
