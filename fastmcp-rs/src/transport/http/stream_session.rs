//! Sessions of the transport of 2024-11-05, which end with their streams.
//!
//! Without the feature `legacy-sse` there are none, and the compiler removes the code that would serve one.

pub(crate) use body::{EndSession, StreamEndpoint, StreamSessions};

#[cfg(feature = "legacy-sse")]
mod body {
    use std::ops::Deref;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use crate::auth::principal::Principal;
    use crate::engine::transport_api::Connection;
    use crate::protocol::Revision;
    use crate::transport::http::peer::Peer;
    use crate::transport::http::sessions::{HttpSession, NewSession, SessionLimits, Sessions, random_id};

    /// Marks a service as the endpoint of this transport.
    #[derive(Clone, Copy)]
    pub(crate) struct StreamEndpoint;

    /// The sessions that end with their stream.
    pub(crate) struct StreamSessions(Arc<Sessions>);

    impl StreamSessions {
        pub(crate) fn new(limits: SessionLimits) -> StreamSessions {
            StreamSessions(Sessions::new(limits, None))
        }
    }

    impl Deref for StreamSessions {
        type Target = Arc<Sessions>;

        fn deref(&self) -> &Arc<Sessions> {
            &self.0
        }
    }

    impl Sessions {
        /// Inserts a session of this transport and returns its id. Returns `None` if there are too many sessions, all
        /// of them in use. The session counts against `peer`.
        pub(crate) fn insert(
            self: &Arc<Self>,
            connection: Arc<Connection>,
            revision: Revision,
            principal: Option<Arc<Principal>>,
            peer: Option<Peer>,
        ) -> Option<String> {
            let id = random_id()?;
            let entry = NewSession { id, connection, revision, principal, peer, resumption: None, expires: None };
            Some(self.add(entry)?.id().to_owned())
        }
    }

    impl HttpSession {
        /// Updates the size of the client's description of itself. Returns false if the limits are exceeded.
        pub(crate) fn fits_client_info_limit(&self) -> bool {
            let size = self.connection.session_size();
            // A client describes itself once, and an unchanged session is not ended for the data of others.
            if self.client_info_bytes.own.load(Ordering::Acquire) == size {
                return true;
            }
            self.client_info_bytes.set(size);
            !self.client_info_bytes.exceeds_limit()
        }
    }

    /// Ends a session when its stream is dropped.
    pub(crate) struct EndSession {
        pub(crate) sessions: Arc<Sessions>,
        pub(crate) id: String,
    }

    impl Drop for EndSession {
        fn drop(&mut self) {
            self.sessions.remove(&self.id);
        }
    }
}

#[cfg(not(feature = "legacy-sse"))]
mod body {
    use crate::transport::http::sessions::SessionLimits;

    #[derive(Clone, Copy)]
    pub(crate) enum StreamEndpoint {}

    pub(crate) struct StreamSessions(());

    impl StreamSessions {
        pub(crate) fn new(_limits: SessionLimits) -> StreamSessions {
            StreamSessions(())
        }

        pub(crate) fn end_all(&self) {}

        pub(crate) fn count_open(&self) -> usize {
            0
        }
    }

    pub(crate) enum EndSession {}
}
