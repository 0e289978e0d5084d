//! The other end of a connection in process.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::LiveTest;
use crate::engine::{Connection, Server};
use crate::outbox::Outbox;
use crate::principal::Principal;
use crate::registry::View;
use crate::transport::memory;

/// What takes messages and gives frames: a server, or what plays one in our own tests.
pub(super) trait Peer: Send + Sync {
    /// Takes one message. Answers that are ready are appended to `out`, each with a newline.
    fn receive(&self, message: &[u8], out: &mut Vec<u8>);

    /// Where all other frames come from.
    fn outbox(&self) -> &Arc<Outbox>;

    /// Nobody is left to hear of anything.
    fn close(&self);
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
        self.connection.receive(&mut view, message, out);
    }

    fn outbox(&self) -> &Arc<Outbox> {
        self.connection.outbox()
    }

    fn close(&self) {
        self.connection.cancel_all();
        self.connection.outbox().close();
    }
}
