//! An in-process connection: lines in, lines out, the same engine.

use std::sync::Arc;

use crate::auth::principal::Principal;
use crate::context::Transport;
use crate::engine::transport_api::{Connection, Server};

pub(crate) fn connect(server: Arc<Server>, principal: Option<Principal>) -> Arc<Connection> {
    let connection = Connection::new(server, Transport::Memory, principal.map(Arc::new));
    connection.join_metrics();
    connection
}
