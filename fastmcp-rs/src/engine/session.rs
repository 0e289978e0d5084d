//! Requests of clients that begin with `initialize`.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>

use std::sync::Arc;

use super::call::DispatchResult;
#[cfg(feature = "http")]
use super::connection::Connection;
use super::connection::NegotiatedSession;
use super::request::{CallerInfo, IncomingRequest, member_text};
use super::response::write_result;
use super::stateless::{incomplete_meta, unknown_level};
use super::{methods, subscriptions};
use crate::context::{ClientDeclaration, LogFilter};
use crate::json::encode;
use crate::json::object::{Object, string_value};
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};
use crate::protocol::{LoggingLevel, ProtocolMethod, Revision};

/// Answers a request that belongs to the session of its connection, or that opens it.
#[inline(always)]
pub(super) fn dispatch(request: &IncomingRequest<'_>, out: &mut Vec<u8>) -> Result<DispatchResult, RpcError> {
    if request.method == Some(ProtocolMethod::Initialize) {
        return initialize(request, out);
    }
    if request.method == Some(ProtocolMethod::Ping) {
        return Ok(DispatchResult::Done(write_result(out, request.id.as_str(), b"{}")));
    }
    let Some(session) = request.connection.session() else { return Err(incomplete_meta()) };
    if matches!(request.frame.params, Some(Object::NotAnObject)) {
        return Err(RpcError::invalid_params("Invalid params: `params` must be an object"));
    }
    let capabilities = &request.registry.capabilities;
    match request.method {
        Some(ProtocolMethod::SetLogLevel) if capabilities.logging => set_log_level(session, request, out),
        Some(ProtocolMethod::Subscribe) if capabilities.resources => {
            subscriptions::subscribe(request, &caller(session, request), out)
        }
        Some(ProtocolMethod::Unsubscribe) if capabilities.resources => subscriptions::unsubscribe(request, out),
        _ => methods::dispatch(request, &caller(session, request), out),
    }
}

#[inline(always)]
fn caller<'a>(session: &'a NegotiatedSession, request: &IncomingRequest<'a>) -> CallerInfo<'a> {
    CallerInfo {
        revision: session.revision,
        client: Some(&session.client),
        progress_token: request.frame.meta().and_then(|meta| meta.progress_token).and_then(Id::parse),
        log: session.log_filter(),
    }
}

/// Opens a session that another process has initialized. Its client counts as ready, because it may have sent
/// `notifications/initialized` to that process.
#[cfg(feature = "http")]
pub(super) fn restore(connection: &Connection, revision: Revision, client: ClientDeclaration) {
    let lists = connection.server.registry.load().capabilities.list_changes;
    if connection.open_session(revision, Arc::new(client)) {
        let log = connection.session().map_or(LogFilter::None, |session| session.log_filter());
        connection.feed().open_session(lists, log);
        subscriptions::start_session_notifications(connection, &mut Vec::new());
    }
}

fn set_log_level(
    session: &NegotiatedSession,
    request: &IncomingRequest<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    let level = request.frame.params().and_then(|params| params.level).and_then(string_value);
    session.set_log_level(level.as_deref().and_then(LoggingLevel::parse).ok_or_else(unknown_level)?);
    Ok(DispatchResult::Done(write_result(out, request.id.as_str(), b"{}")))
}

fn initialize(request: &IncomingRequest<'_>, out: &mut Vec<u8>) -> Result<DispatchResult, RpcError> {
    let connection = request.connection;
    let params = request.frame.params();
    let version = params.and_then(|params| params.protocol_version).and_then(string_value).ok_or_else(|| {
        RpcError::invalid_params("Invalid params: `initialize` needs `params.protocolVersion`, a string")
    })?;
    // An unsupported version is answered with the newest one that this connection supports; the client then decides.
    let revision = Revision::parse(&version).filter(|revision| revision.has(connection.handshake_feature));
    let revision = revision.unwrap_or(Revision::latest_with(connection.handshake_feature));
    let info = member_text(params.and_then(|params| params.client_info), "clientInfo")?;
    let capabilities = member_text(params.and_then(|params| params.capabilities), "capabilities")?;
    let client = ClientDeclaration { info: info.map(Into::into), capabilities: capabilities.map(Into::into) };
    if !connection.open_session(revision, Arc::new(client)) {
        return Err(RpcError::new(code::INVALID_REQUEST, "Invalid request: the session is already initialized"));
    }
    let log = connection.session().map_or(LogFilter::None, |session| session.log_filter());
    connection.feed().open_session(request.registry.capabilities.list_changes, log);
    let mut result = Vec::new();
    // Serialising a `Value` cannot fail.
    let _ =
        encode::write_json(&mut result, &connection.server.initialize_result(&request.registry.capabilities, revision));
    Ok(DispatchResult::Done(write_result(out, request.id.as_str(), &result)))
}
