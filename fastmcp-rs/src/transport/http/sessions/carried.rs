//! Ids that carry their session, so that every process with the same keys can restore it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::auth::principal::Principal;
use crate::engine::transport_api::Connection;
use crate::protocol::Revision;
use crate::sealing::{CarriedSession, Sealer, SealingKey, SessionBinding};
use crate::transport::http::peer::Peer;

/// The origin of a request that names a session or begins one.
#[derive(Clone, Copy)]
pub(crate) struct Requester<'a> {
    pub(crate) principal: Option<&'a Arc<Principal>>,
    /// The peer that the session counts against; `None` if it has no limit per peer.
    pub(crate) peer: Option<&'a Peer>,
    /// The path of the request.
    pub(crate) path: &'a str,
}

impl Requester<'_> {
    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.principal.map(|principal| &**principal)
    }
}

/// Seals sessions into ids, and opens such ids.
pub(crate) struct CarryingIds {
    sealer: Sealer,
    server: Box<str>,
    path: Box<str>,
    lifetime: Duration,
}

impl CarryingIds {
    /// Returns `None` without keys, because no other process could open the ids.
    pub(crate) fn new(keys: &[SealingKey], server: &str, path: &str, lifetime: Duration) -> Option<CarryingIds> {
        let sealer = Sealer::for_sessions(keys);
        (!keys.is_empty()).then(|| CarryingIds { sealer, server: server.into(), path: endpoint(path).into(), lifetime })
    }

    /// Creates the id of a session that begins now. Returns it with the end of its lifetime, in milliseconds since
    /// 1970; `None` if the system's random number generator failed.
    pub(crate) fn issue(
        &self,
        connection: &Connection,
        revision: Revision,
        requester: &Requester<'_>,
    ) -> Option<(String, u64)> {
        let now = SystemTime::now();
        let session = CarriedSession::new(revision, connection.session_client()?, self.lifetime, now);
        let expires = session.expires(self.lifetime, now)?;
        Some((self.sealer.seal_session(&session, &self.binding(requester)).ok()?, expires))
    }

    /// Returns the session that an id carries and the end of its lifetime, if the id was issued for this requester and
    /// its lifetime has not ended.
    pub(crate) fn open(&self, id: &str, requester: &Requester<'_>) -> Option<(CarriedSession, u64)> {
        let session = self.sealer.open_session(id, &self.binding(requester))?;
        let expires = session.expires(self.lifetime, SystemTime::now())?;
        Some((session, expires))
    }

    fn binding<'a>(&'a self, requester: &'a Requester<'_>) -> SessionBinding<'a> {
        SessionBinding {
            server: &self.server,
            configured_path: &self.path,
            path: endpoint(requester.path),
            principal: requester.principal().map(Principal::id),
        }
    }
}

/// Removes the trailing slash of a path, because the endpoint is served with and without it.
fn endpoint(path: &str) -> &str {
    path.trim_end_matches('/')
}
