//! All that a transport may call, in the order in which it may call it.
//!
//! A transport carries frames between a [`Server`] and its clients. It opens a [`Connection`] per client, passes each
//! message to it, and writes the frames that it gets back; each frame ends with a newline. It knows the functions of
//! this file and those of [`OutgoingQueue`]; all other parts of the engine are private.
//!
//! 1. **Open.** One of the constructors of [`Connection`], inside of a tokio runtime. [`Connection::new`] is for a client
//!    with one stream in each direction; `for_exchange` and `for_session` are for HTTP, where each message has its own
//!    return path.
//! 2. **Start to write.** [`Connection::outgoing`] is the queue of the frames that are not ready at once: responses of
//!    calls that wait, notifications, requests to the client. A transport empties it through its own view of the queue
//!    (`outgoing/stdio.rs`, `outgoing/stream.rs`, `outgoing/tap.rs`), until it is closed. A writer may start late, as
//!    soon as `Connection::uses_outgoing_queue` returns true.
//! 3. **Receive.** [`Connection::receive`] for each message, with the [`RegistrySnapshot`] of the reader; on HTTP
//!    `receive_frame`, whose `ResponseStatus` decides on the HTTP response. The frames that are ready are appended to a
//!    buffer. Frames that are in the queue already are written before them. Messages of one connection are received one
//!    at a time, unless each is an `HttpExchange`.
//! 4. **Limit.** A transport does not read while its queue is full: see `OutgoingQueue::wait_for_capacity`.
//! 5. **Stop.** `Connection::close_subscriptions` and `Connection::close_client_requests` end everything that would not
//!    end by itself. When [`Connection::calls_in_flight`] is zero and the queue is empty, or when a timeout has passed,
//!    [`Connection::cancel_all`] ends the remaining calls. For a client that is gone, `cancel_all` is enough.
//! 6. **Close.** `outgoing().close()` drops all further frames. [`Server::run_shutdown_tasks`] runs once, after the last
//!    connection.
//!
//! The function `serve_lines` in the tests of this file is a whole transport.

use std::str::Utf8Error;
use std::sync::Arc;

pub(crate) use super::connection::Connection;
#[cfg(feature = "testing")]
use super::connection::TestFacts;
#[cfg(all(test, feature = "http"))]
pub(crate) use super::header_match::HeaderField;
#[cfg(feature = "http")]
pub(crate) use super::header_match::{Headers, METHOD_HEADER, NAME_HEADER, PROTOCOL_VERSION_HEADER};
#[cfg(feature = "http")]
pub(crate) use super::http_exchange::{ArgumentsGuard, HttpExchange, TransportInfo};
#[cfg(feature = "stdio")]
use super::oversized;
use super::receive;
#[cfg(feature = "http")]
pub(crate) use super::receive::batch::batch_length;
#[cfg(feature = "http")]
pub(crate) use super::response::ResponseStatus;
#[cfg(feature = "stdio")]
pub(crate) use super::server::SHUTDOWN_TASKS_TIMEOUT;
pub(crate) use super::server::Server;
#[cfg(any(feature = "http", feature = "stdio", test))]
use super::subscriptions;
use crate::auth::principal::Principal;
use crate::context::Transport;
#[cfg(feature = "testing")]
use crate::context::transport_facts::{ClientAddr, TransportFacts};
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::Feature;
use crate::registry::RegistrySnapshot;
#[cfg(feature = "stdio")]
use crate::registry::WeakRegistrySnapshot;

/// Connections of clients with one stream in each direction.
impl Connection {
    /// Opens a connection. The principal is the identity of the client, if the transport knows it.
    pub(crate) fn new(server: Arc<Server>, transport: Transport, principal: Option<Arc<Principal>>) -> Arc<Connection> {
        Connection::with_queue(Feature::Sessions, server, transport, principal, Some(Arc::default()))
    }

    /// Returns the queue of the frames that are not ready at once.
    pub(crate) fn outgoing(&self) -> &Arc<OutgoingQueue> {
        self.queue()
    }

    /// Returns true if frames may arrive in the queue. It stays true.
    #[cfg(feature = "stdio")]
    pub(crate) fn uses_outgoing_queue(&self) -> bool {
        self.is_queue_used()
    }

    /// Adds the requests that wait on this connection to the metrics of the server.
    pub(crate) fn join_metrics(self: &Arc<Self>) {
        if let Some(metrics) = &self.server.metrics {
            metrics.add_source(self, |connection, gauges| {
                gauges.add_waiting_calls(connection.in_flight_if_used().map_or(0, |calls| calls.queued_count()));
            });
        }
    }

    /// Returns the view of the components that a reader passes to [`Connection::receive`].
    pub(crate) fn registry_snapshot(&self) -> RegistrySnapshot {
        self.server.registry.snapshot()
    }

    /// Returns the view of a reader that kept a weak one while it waited, so that components can be dropped meanwhile.
    #[cfg(feature = "stdio")]
    pub(crate) fn upgrade_snapshot(&self, resting: &WeakRegistrySnapshot) -> RegistrySnapshot {
        self.server.registry.upgrade_snapshot(resting)
    }

    /// Receives one line, without its newline. Responses that are ready are appended to `out`, each with a newline; all
    /// others go to the queue when they are ready. Must be called inside a tokio runtime.
    pub(crate) fn receive(
        self: &Arc<Self>,
        view: &mut RegistrySnapshot,
        line: Result<&str, Utf8Error>,
        out: &mut Vec<u8>,
    ) {
        receive::receive_line(self, view, line, out);
    }

    /// Rejects a line that was too long to be kept; `start` is its beginning.
    #[cfg(feature = "stdio")]
    pub(crate) fn reject_oversized(&self, start: &[u8], limit: usize, out: &mut Vec<u8>) {
        oversized::reject_oversized(self, start, limit, out);
    }

    /// Ends all subscriptions: the responses to their requests are in the queue when this returns.
    #[cfg(any(feature = "http", feature = "stdio", test))]
    pub(crate) fn close_subscriptions(&self) {
        subscriptions::close_all(self);
    }

    /// Ends every wait for a response of the client, now and later: the client can send none any more.
    #[cfg(feature = "stdio")]
    pub(crate) fn close_client_requests(&self) {
        self.client_requests().close();
    }

    /// Returns the number of calls that are not yet answered.
    pub(crate) fn calls_in_flight(&self) -> usize {
        self.in_flight_if_used().map_or(0, |calls| calls.len())
    }

    /// Returns the number of calls that have ended and whose responses are not yet on their way.
    #[cfg(feature = "stdio")]
    pub(crate) fn unsent_responses(&self) -> usize {
        self.in_flight_if_used().map_or(0, |calls| calls.unsent_responses())
    }

    /// Cancels every call whose response is not yet certain; these calls are not answered.
    pub(crate) fn cancel_all(&self) {
        if let Some(calls) = self.in_flight_if_used() {
            calls.cancel_all();
        }
    }

    /// Returns the identity of the client.
    #[cfg(feature = "testing")]
    pub(crate) fn principal(&self) -> Option<&Arc<Principal>> {
        self.principal.as_ref()
    }

    /// Sets the facts about all requests of a test client. Has no effect after the first call.
    #[cfg(feature = "testing")]
    pub(crate) fn set_test_facts(&self, facts: TransportFacts, client_addr: Option<ClientAddr>) {
        let _ = self.test_facts.set(TestFacts { transport: Arc::new(facts), client_addr });
    }

    /// Returns true if there are shutdown functions.
    #[cfg(feature = "testing")]
    pub(crate) fn has_shutdown_tasks(&self) -> bool {
        self.server.has_shutdown_tasks()
    }

    /// Runs the shutdown functions of the only connection of a server, once.
    #[cfg(feature = "testing")]
    pub(crate) async fn run_shutdown_tasks(&self) {
        self.server.run_shutdown_tasks().await;
    }

    /// Begins to drop all components and states. Returns `false` if that was begun before.
    #[cfg(feature = "stdio")]
    pub(crate) fn begin_release(&self) -> bool {
        self.server.begin_release()
    }
}

#[cfg(feature = "http")]
pub(crate) use self::http::{is_complete_envelope, write_error};

/// The calls of HTTP, where each message has its own return path.
///
/// The transport has already read the frame, because it must know the session of a message before it can select the
/// connection.
#[cfg(feature = "http")]
mod http {
    use std::sync::Arc;

    use super::{Connection, HttpExchange, ResponseStatus, Server};
    use crate::auth::principal::Principal;
    use crate::context::{ClientDeclaration, Transport};
    use crate::engine::header_match::check_notification;
    use crate::engine::request::IncomingMessage;
    use crate::engine::response::write_frame;
    use crate::engine::stateless::incomplete_meta;
    use crate::engine::{receive, session};
    use crate::json::object::string_value;
    use crate::outgoing::stream::StreamQueue;
    use crate::protocol::frame::Frame;
    use crate::protocol::id::Id;
    use crate::protocol::write::{self, RpcError};
    use crate::protocol::{Feature, Revision};
    use crate::registry::Registry;

    impl Connection {
        /// Opens a connection for a single request.
        pub(crate) fn for_exchange(server: &Arc<Server>, principal: Option<Arc<Principal>>) -> Arc<Connection> {
            Connection::with_queue(Feature::Sessions, Arc::clone(server), Transport::Http, principal, None)
        }

        /// Opens the connection of a session whose client need not read messages that belong to none of its requests.
        pub(crate) fn for_session(server: &Arc<Server>, principal: Option<Arc<Principal>>) -> Arc<Connection> {
            let queue = Some(StreamQueue::for_session());
            Connection::with_queue(Feature::Sessions, Arc::clone(server), Transport::Http, principal, queue)
        }

        /// Opens the connection of a session with a single stream for everything, the transport before Streamable HTTP.
        #[cfg(feature = "legacy-sse")]
        pub(crate) fn for_stream(server: &Arc<Server>, principal: Option<Arc<Principal>>) -> Arc<Connection> {
            Connection::with_queue(Feature::HttpWithSse, Arc::clone(server), Transport::Http, principal, None)
        }

        /// Opens a session that was restored from its id.
        pub(crate) fn restore_session(&self, revision: Revision, client: ClientDeclaration) {
            session::restore(self, revision, client);
        }

        /// Opens a session for a client that has none; only the revision of the session is known.
        pub(crate) fn assume_session(&self, revision: Revision) {
            // An existing session is kept.
            self.open_session(revision, Arc::default());
        }

        /// Sets the number that precedes the ids of requests to the client. Has no effect after the first such request.
        pub(crate) fn number_client_requests(&self, base: i64) {
            self.number_requests_from(base);
        }

        /// Sets the label of this connection's session in spans.
        pub(crate) fn label_session(&self, label: &str) {
            let _ = self.session_label.set(label.into());
        }

        /// Receives one frame. Frames that are ready are appended to `out`, each with a newline; later frames go through
        /// the queue of the exchange. Must be called inside a tokio runtime.
        pub(crate) fn receive_frame(
            self: &Arc<Self>,
            registry: &Arc<Registry>,
            message: &str,
            frame: &Frame<'_>,
            exchange: &HttpExchange<'_>,
            out: &mut Vec<u8>,
        ) -> ResponseStatus {
            let message = IncomingMessage { connection: self, registry, text: message, exchange: Some(exchange) };
            receive::receive_frame(message, frame, None, out)
        }

        /// Receives a text that is not a frame: a batch, or malformed input.
        pub(crate) fn receive_text(
            self: &Arc<Self>,
            registry: &Arc<Registry>,
            message: &str,
            exchange: &HttpExchange<'_>,
            out: &mut Vec<u8>,
        ) -> ResponseStatus {
            let message = IncomingMessage { connection: self, registry, text: message, exchange: Some(exchange) };
            receive::receive_message(message, None, out)
        }

        /// Rejects a request that only its header declares to be modern.
        pub(crate) fn reject_bare_request(&self, frame: &Frame<'_>, out: &mut Vec<u8>) {
            write_error(out, frame.id.and_then(Id::parse).map(Id::as_str), &incomplete_meta());
        }

        /// Checks the headers of a modern notification; returns `false` if it is rejected, with the error in `out`.
        pub(crate) fn accepts_notification(
            &self,
            method: &str,
            exchange: &HttpExchange<'_>,
            out: &mut Vec<u8>,
        ) -> bool {
            let checked = exchange.headers.map_or(Ok(()), |headers| check_notification(headers, method));
            checked.map_err(|error| write_error(out, None, &error)).is_ok()
        }

        /// Returns the revision of the session, once it is open.
        pub(crate) fn session_revision(&self) -> Option<Revision> {
            self.session().map(|session| session.revision)
        }

        /// Returns the client's description of itself, once there is a session.
        pub(crate) fn session_client(&self) -> Option<&ClientDeclaration> {
            self.session().map(|session| &*session.client)
        }

        /// Returns the size, in bytes, of the client's description of itself, which is stored with its session.
        pub(crate) fn session_size(&self) -> usize {
            self.session().map_or(0, |session| session.client.size())
        }

        /// Returns true if the request with that id is being served.
        pub(crate) fn is_in_flight(&self, id: Id<'_>) -> bool {
            self.in_flight_if_used().is_some_and(|calls| calls.contains(&id.key()))
        }
    }

    /// Returns true if a frame has all members that make a request a modern one.
    pub(crate) fn is_complete_envelope(frame: &Frame<'_>) -> bool {
        frame.meta().is_some_and(|meta| {
            meta.protocol_version.is_some_and(|version| string_value(version).is_some())
                && meta.client_capabilities.is_some_and(|capabilities| capabilities.get().starts_with('{'))
        })
    }

    /// Writes an error that does not come from a handler.
    pub(crate) fn write_error(out: &mut Vec<u8>, id: Option<&str>, error: &RpcError) {
        write_frame(out, |out| write::write_error(out, id, error));
    }
}

#[cfg(all(test, feature = "stdio", feature = "testing"))]
mod tests {
    use std::io::{BufRead, Write};
    use std::sync::mpsc;

    use serde_json::{Value, json};

    use super::*;
    use crate::app::App;
    use crate::component::dynamic::DynamicTool;
    use crate::error::ToolError;
    use crate::outgoing::tap::FrameTap;

    /// A transport of lines: reads messages from `input` until it ends, writes frames to `output`, and returns when the
    /// last call has ended.
    async fn serve_lines(server: Arc<Server>, input: impl BufRead, output: mpsc::Sender<Vec<u8>>) {
        // Open.
        let connection = Connection::new(Arc::clone(&server), Transport::Memory, None);
        // Start to write.
        let outgoing = FrameTap::new(connection.outgoing());
        let writer = tokio::spawn(async move {
            while !outgoing.is_closed() {
                outgoing.wait().await;
                let _ = output.send(outgoing.take());
            }
        });
        // Receive, while there is room for responses.
        let mut view = connection.registry_snapshot();
        for line in input.split(b'\n').map_while(Result::ok) {
            let mut frames = Vec::new();
            connection.receive(&mut view, std::str::from_utf8(&line), &mut frames);
            connection.outgoing().push(&frames);
            connection.outgoing().wait_for_capacity().await;
        }
        // Stop.
        connection.close_subscriptions();
        connection.close_client_requests();
        while connection.calls_in_flight() > 0 || connection.outgoing().queued_bytes() > 0 {
            tokio::task::yield_now().await;
        }
        // Close.
        connection.outgoing().close();
        let _ = writer.await;
        server.run_shutdown_tasks().await;
    }

    #[tokio::test]
    async fn a_transport_needs_only_these_calls() {
        let now = DynamicTool::new("now", json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("now") });
        let later = DynamicTool::new("later", json!({"type": "object"}), |_, _| async {
            tokio::task::yield_now().await;
            Ok::<_, ToolError>("later")
        });
        let app = App::empty("test").add_tool(now).add_tool(later);
        // The handle makes the lists changeable, so that a client can subscribe to them.
        let _handle = app.handle();
        let server = app.start().await.expect("the app is valid");
        let mut input = Vec::new();
        for (id, method, mut params) in [
            (1, "tools/call", json!({"name": "later"})),
            (2, "tools/call", json!({"name": "now"})),
            (3, "tools/call", json!({"name": "unknown"})),
            (4, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}})),
        ] {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
            writeln!(input, "{request}").unwrap();
        }
        let (output, written) = mpsc::channel();
        serve_lines(server.into(), &input[..], output).await;
        let written: Vec<u8> = written.try_iter().flatten().collect();
        let mut frames: Vec<Value> =
            written.split(|byte| *byte == b'\n').filter_map(|frame| serde_json::from_slice(frame).ok()).collect();
        frames.sort_by_key(|frame| frame["id"].as_i64());
        assert_eq!(frames.len(), 6, "{frames:?}");
        assert_eq!(frames[0]["method"], "notifications/subscriptions/acknowledged");
        // Subscriptions end with their transport.
        assert_eq!(frames[1]["method"], "notifications/cancelled");
        assert_eq!(frames[2]["result"]["content"][0]["text"], "later");
        assert_eq!(frames[3]["result"]["content"][0]["text"], "now");
        assert_eq!(frames[4]["error"]["code"], -32602);
        assert_eq!(frames[5]["id"], 4);
    }
}
