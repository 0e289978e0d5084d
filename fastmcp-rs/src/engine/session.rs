//! Sessions: the revisions whose clients begin with `initialize`.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::call::CallerInfo;
use super::stateless::{incomplete_meta, unknown_level};
use super::{Connection, DispatchStatus, IncomingRequest, member_text, write_frame};
#[cfg(feature = "http")]
use crate::context::change_hub::ListSet;
use crate::context::{ClientDeclaration, LogFilter};
use crate::json::encode;
use crate::json::object::{Object, string_value};
use crate::protocol::id::Id;
use crate::protocol::write::{self, RpcError, code};
use crate::protocol::{LoggingLevel, Revision};

/// The session that an `initialize` request opened, with the negotiated revision.
#[derive(Debug)]
pub(crate) struct NegotiatedSession {
    pub(crate) revision: Revision,
    pub(crate) client: Arc<ClientDeclaration>,
    /// The index of the least severe level that the client wants.
    log_level: Arc<AtomicU8>,
}

impl Connection {
    pub(crate) fn session(&self) -> Option<&Arc<NegotiatedSession>> {
        self.session.get()
    }

    pub(crate) fn dispatch_in_session(
        self: &Arc<Self>,
        request: &IncomingRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        let id = request.id.as_str();
        if request.method == "initialize" {
            return self.initialize(request, out);
        }
        if request.method == "ping" {
            write_frame(out, |out| write::write_result(out, id, b"{}"));
            return Ok(DispatchStatus::Done);
        }
        let Some(session) = self.session() else { return Err(incomplete_meta()) };
        if matches!(request.frame.params, Some(Object::NotAnObject)) {
            return Err(RpcError::invalid_params("Invalid params: `params` must be an object"));
        }
        match request.method {
            "logging/setLevel" if request.registry.capabilities.logging => {
                let level = request.frame.params().and_then(|params| params.level).and_then(string_value);
                let level = level.as_deref().and_then(LoggingLevel::parse).ok_or_else(unknown_level)?;
                session.log_level.store(level as u8, Ordering::Relaxed);
                write_frame(out, |out| write::write_result(out, id, b"{}"));
                Ok(DispatchStatus::Done)
            }
            "resources/unsubscribe" if request.registry.capabilities.resources => self.unsubscribe(request, out),
            method => {
                let token = request.frame.meta().and_then(|meta| meta.progress_token);
                let caller = CallerInfo {
                    revision: session.revision,
                    client: Some(&session.client),
                    progress_token: token.and_then(Id::parse),
                    log: LogFilter::Session(Arc::clone(&session.log_level)),
                };
                if method == "resources/subscribe" && request.registry.capabilities.resources {
                    return self.subscribe(request, &caller, out);
                }
                self.dispatch_component_method(request, &caller, out)
            }
        }
    }

    #[cfg(feature = "http")]
    pub(crate) fn open_session_without_handshake(&self, revision: Revision) {
        let log_level = Arc::new(AtomicU8::new(LoggingLevel::Info as u8));
        // An existing session is kept.
        let _ = self.session.set(Arc::new(NegotiatedSession { revision, client: Arc::default(), log_level }));
    }

    /// Opens a session that another process has initialized. Its client counts as ready, because it may have sent
    /// `notifications/initialized` to that process.
    #[cfg(feature = "http")]
    pub(crate) fn open_carried(&self, revision: Revision, client: ClientDeclaration, lists: ListSet) {
        let log_level = Arc::new(AtomicU8::new(LoggingLevel::Info as u8));
        if self.session.set(Arc::new(NegotiatedSession { revision, client: Arc::new(client), log_level })).is_ok() {
            self.feed().open_session(lists);
            self.start_session_notifications(&mut Vec::new());
        }
    }

    fn initialize(&self, request: &IncomingRequest<'_>, out: &mut Vec<u8>) -> Result<DispatchStatus, RpcError> {
        let params = request.frame.params();
        let version = params.and_then(|params| params.protocol_version).and_then(string_value).ok_or_else(|| {
            RpcError::invalid_params("Invalid params: `initialize` wants `params.protocolVersion`, a string")
        })?;
        // An unsupported version is answered with the newest one that this connection supports; the client then
        // decides.
        let revision = Revision::parse(&version).filter(|revision| *revision <= self.newest_revision);
        let revision = revision.unwrap_or(self.newest_revision);
        let info = member_text(params.and_then(|params| params.client_info), "clientInfo")?;
        let capabilities = member_text(params.and_then(|params| params.capabilities), "capabilities")?;
        let session = NegotiatedSession {
            revision,
            client: Arc::new(ClientDeclaration {
                info: info.map(Into::into),
                capabilities: capabilities.map(Into::into),
            }),
            log_level: Arc::new(AtomicU8::new(LoggingLevel::Info as u8)),
        };
        if self.session.set(Arc::new(session)).is_err() {
            return Err(RpcError::new(code::INVALID_REQUEST, "Invalid request: this session is initialized already"));
        }
        self.feed().open_session(request.registry.capabilities.list_changes);
        let mut result = Vec::new();
        // Serialising a `Value` cannot fail.
        let _ =
            encode::write_json(&mut result, &self.server.initialize_result(&request.registry.capabilities, revision));
        write_frame(out, |out| write::write_result(out, request.id.as_str(), &result));
        Ok(DispatchStatus::Done)
    }
}
