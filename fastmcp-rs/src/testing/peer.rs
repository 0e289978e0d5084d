//! The other end of a connection in process.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::LiveTest;
use crate::engine::{Connection, Server};
use crate::outbox::Outbox;
use crate::principal::Principal;
use crate::registry::View;
use crate::transport::memory;

/// How long calls that were cancelled have to end, as on standard input.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked at whether they have.
const PAUSE: Duration = Duration::from_millis(5);

/// What takes messages and gives frames: a server, or what plays one in our own tests.
pub(super) trait Peer: Send + Sync {
    /// Takes one message. Answers that are ready are appended to `out`, each with a newline.
    fn receive(&self, message: &[u8], out: &mut Vec<u8>);

    /// Where all other frames come from.
    fn outbox(&self) -> &Arc<Outbox>;

    /// Nobody is left to hear of anything.
    fn close(&self);

    /// The same, and waits for the end.
    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.close();
        Box::pin(async {})
    }
}

/// A server in the same process.
pub(super) struct InProcess {
    connection: Arc<Connection>,
    view: Mutex<View>,
    _live: LiveTest,
}

impl InProcess {
    pub(super) fn new(server: Server, principal: Option<Principal>) -> InProcess {
        let connection = memory::connect(server, principal);
        let view = Mutex::new(connection.view());
        InProcess { connection, view, _live: LiveTest::new() }
    }
}

impl Peer for InProcess {
    fn receive(&self, message: &[u8], out: &mut Vec<u8>) {
        // What a handler panics with never comes here, so the view is whole.
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        self.connection.receive(&mut view, std::str::from_utf8(message), out);
    }

    fn outbox(&self) -> &Arc<Outbox> {
        self.connection.outbox()
    }

    fn close(&self) {
        self.connection.cancel_all();
        self.connection.outbox().close();
        if self.connection.has_endings() {
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(ended(Arc::clone(&self.connection)));
            }
        }
    }

    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.connection.cancel_all();
        self.connection.outbox().close();
        Box::pin(ended(Arc::clone(&self.connection)))
    }
}

/// Waits for the last call, as a server does at its end, and does what is to be done then.
async fn ended(connection: Arc<Connection>) {
    let deadline = Instant::now() + GRACE;
    while connection.calls_in_flight() > 0 && Instant::now() < deadline {
        tokio::time::sleep(PAUSE).await;
    }
    connection.end().await;
}
