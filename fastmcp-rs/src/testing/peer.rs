//! The server's end of an in-process connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::principal::Principal;
use crate::context::transport_facts::{ClientAddr, TransportFacts, caller_with_extensions};
use crate::engine::transport_api::{Connection, Server};
use crate::exec::paused_clock::TestRegistration;
use crate::outgoing::tap::FrameTap;
use crate::registry::RegistrySnapshot;
use crate::transport::in_memory;
use crate::util::sync::Mutex;
use crate::util::type_map::TypeMap;

/// The time that cancelled calls have to end, as on standard input.
const GRACE: Duration = Duration::from_secs(5);
/// The interval at which running calls are counted while waiting for their end.
const PAUSE: Duration = Duration::from_millis(5);

/// The peer of a test client: a server, or a simulated server in the tests of this crate.
pub(super) trait TestServer: Send + Sync {
    /// Handles one message. Responses that are ready are appended to `out`, each with a newline.
    fn receive(&self, message: &[u8], out: &mut Vec<u8>);

    /// Returns the queue of all other frames.
    fn frames(&self) -> &FrameTap;

    /// Closes the connection.
    fn close(&self);

    /// Closes the connection, and waits for the end of the app.
    fn shut_down(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.close();
        Box::pin(async {})
    }
}

/// The facts about the requests of a client.
#[derive(Default)]
pub(super) struct Caller {
    pub(super) principal: Option<Principal>,
    #[cfg(feature = "http")]
    pub(super) headers: http::HeaderMap,
    pub(super) extensions: TypeMap,
    pub(super) client_addr: Option<ClientAddr>,
}

/// A server in the same process.
pub(super) struct InProcessServer {
    connection: Arc<Connection>,
    frames: FrameTap,
    view: Mutex<RegistrySnapshot>,
    _live: TestRegistration,
}

impl InProcessServer {
    pub(super) fn new(server: Server, caller: Caller) -> InProcessServer {
        let mut facts = TransportFacts::new(None);
        facts.test_extensions = caller.extensions;
        #[cfg(feature = "http")]
        {
            facts.headers = server.config.exposed_headers.select(&caller.headers);
        }
        let connection = in_memory::connect(Arc::new(server), caller.principal);
        facts.caller = caller_with_extensions(connection.principal());
        connection.set_test_facts(facts, caller.client_addr);
        let view = Mutex::new(connection.registry_snapshot());
        let frames = FrameTap::new(connection.outgoing());
        InProcessServer { connection, frames, view, _live: TestRegistration::new() }
    }
}

impl TestServer for InProcessServer {
    fn receive(&self, message: &[u8], out: &mut Vec<u8>) {
        // Panics of handlers do not reach this lock, so the view is consistent.
        let mut view = self.view.lock();
        self.connection.receive(&mut view, std::str::from_utf8(message), out);
    }

    fn frames(&self) -> &FrameTap {
        &self.frames
    }

    fn close(&self) {
        self.connection.cancel_all();
        self.frames.close();
        if self.connection.has_shutdown_tasks() {
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(wait_for_calls(Arc::clone(&self.connection)));
            }
        }
    }

    fn shut_down(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.connection.cancel_all();
        self.frames.close();
        Box::pin(wait_for_calls(Arc::clone(&self.connection)))
    }
}

/// Waits for the last call, as a server does at shutdown, and runs the shutdown function.
async fn wait_for_calls(connection: Arc<Connection>) {
    let deadline = Instant::now() + GRACE;
    while connection.calls_in_flight() > 0 && Instant::now() < deadline {
        tokio::time::sleep(PAUSE).await;
    }
    connection.run_shutdown_tasks().await;
}
