//! Stateless requests: each one carries its revision and the client's capabilities.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::json;

use super::call::CallerInfo;
use super::{Connection, DispatchStatus, IncomingRequest, header_match, write_frame};
use crate::context::LogFilter;
use crate::json::object::string_value;
use crate::middleware::Method;
use crate::protocol::frame::Meta;
use crate::protocol::id::Id;
use crate::protocol::write::{self, RpcError, code};
use crate::protocol::{LoggingLevel, Revision};

impl Connection {
    /// Performs the checks in their order; the first one that fails determines the error.
    pub(crate) fn dispatch_stateless(
        self: &Arc<Self>,
        request: &IncomingRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<DispatchStatus, RpcError> {
        let Some(meta) = request.frame.meta() else { return Err(incomplete_meta()) };
        let version = check_envelope(meta)?;
        let headers = request.exchange.and_then(|exchange| exchange.headers);
        if let Some(headers) = headers {
            header_match::check_version(headers, &version)?;
        }
        let revision = check_version(&version)?;
        if let Some(headers) = headers {
            header_match::check_routing(headers, request)?;
        }
        let id = request.id.as_str();
        match request.method {
            "server/discover" => {
                let log = check_meta(meta)?;
                if !request.registry.layers.is_empty() {
                    let progress_token = meta.progress_token.and_then(Id::parse);
                    let caller = CallerInfo { revision, client: None, progress_token, log };
                    return self.list_through_middleware(Method::Discover, request, &caller, out);
                }
                write_frame(out, |out| write::write_result(out, id, self.server.discovery_result(request.registry)));
                Ok(DispatchStatus::Done)
            }
            "subscriptions/listen" => {
                let log = check_meta(meta)?;
                let caller = CallerInfo { revision, client: None, progress_token: None, log };
                self.open_subscription(request, &caller, out)
            }
            method if !request.registry.capabilities.has_method(method) => Err(unknown_method(method)),
            _ => {
                let log = check_meta(meta)?;
                let progress_token = meta.progress_token.and_then(Id::parse);
                let caller = CallerInfo { revision, client: None, progress_token, log };
                self.dispatch_component_method(request, &caller, out)
            }
        }
    }
}

/// Returns the version that the request names, if the request has all members that a modern request needs.
fn check_envelope<'a>(meta: &Meta<'a>) -> Result<Cow<'a, str>, RpcError> {
    let version = meta.protocol_version.and_then(string_value).ok_or_else(incomplete_meta)?;
    if !meta.client_capabilities.is_some_and(|capabilities| capabilities.get().starts_with('{')) {
        return Err(incomplete_meta());
    }
    Ok(version)
}

fn check_version(version: &str) -> Result<Revision, RpcError> {
    match Revision::parse(version) {
        Some(revision) if revision.is_modern() => Ok(revision),
        other => {
            let hint = if other.is_some() { "; this one is reached through `initialize`" } else { "" };
            let supported: Vec<&str> = Revision::ALL.iter().map(|revision| revision.as_str()).collect();
            let error =
                RpcError::new(code::UNSUPPORTED_PROTOCOL_VERSION, format!("Unsupported protocol version{hint}"));
            Err(error.with_data(&json!({ "supported": supported, "requested": version })))
        }
    }
}

pub(crate) fn incomplete_meta() -> RpcError {
    RpcError::invalid_params(
        "Invalid params: `params._meta` must have `io.modelcontextprotocol/protocolVersion` (a string) and \
         `io.modelcontextprotocol/clientCapabilities` (an object); a client of an earlier revision begins with `initialize`",
    )
}

/// Checks the other members of `_meta`. Without a level, the client gets no log messages.
fn check_meta(meta: &Meta<'_>) -> Result<LogFilter, RpcError> {
    if meta.progress_token.is_some_and(|token| Id::parse(token).is_none()) {
        return Err(RpcError::invalid_params("Invalid params: `progressToken` must be a string or an integer"));
    }
    let Some(level) = meta.log_level else { return Ok(LogFilter::None) };
    match string_value(level).as_deref().and_then(LoggingLevel::parse) {
        Some(level) => Ok(LogFilter::From(level)),
        None => Err(unknown_level()),
    }
}

pub(crate) fn unknown_level() -> RpcError {
    RpcError::invalid_params(
        "Invalid params: the log level must be one of debug, info, notice, warning, error, critical, alert, emergency",
    )
}

/// Returns the error for a method that does not exist, or whose capability is not offered.
pub(crate) fn unknown_method(method: &str) -> RpcError {
    // Text from the peer is truncated: an error is one short sentence.
    let shown: String = method.chars().take(80).collect();
    RpcError::new(code::METHOD_NOT_FOUND, format!("Method not found: {shown}"))
}
