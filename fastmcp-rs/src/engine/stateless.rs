//! Stateless requests: each one carries its revision and the client's capabilities.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>

use std::borrow::Cow;

use serde_json::json;

use super::call::DispatchResult;
use super::call::middleware::list_through_layers;
use super::methods::{self, unknown_method};
use super::request::{CallerInfo, IncomingRequest};
use super::response::write_result;
use super::{header_match, subscriptions};
use crate::context::LogFilter;
use crate::json::object::string_value;
use crate::middleware::Method;
use crate::protocol::frame::Meta;
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Feature, LoggingLevel, ProtocolMethod, Revision};

/// Checks and answers a request. The order of the checks counts: the first failure determines the error.
pub(super) fn dispatch(request: &IncomingRequest<'_>, out: &mut Vec<u8>) -> Result<DispatchResult, RpcError> {
    let Some(meta) = request.frame.meta() else { return Err(incomplete_meta()) };
    let revision = check_headers(request, meta)?;
    match request.method {
        Some(ProtocolMethod::Discover) => discover(request, &check_meta(meta, revision)?, out),
        Some(ProtocolMethod::Listen) => {
            // No part of the response is progress.
            let caller = CallerInfo { progress_token: None, ..check_meta(meta, revision)? };
            subscriptions::open(request, &caller, out)
        }
        Some(method) if request.registry.capabilities.has_method(method) => {
            methods::dispatch(request, &check_meta(meta, revision)?, out)
        }
        _ => Err(unknown_method(request.method_name)),
    }
}

/// Checks the members that make a request a modern one, and the headers that repeat them.
fn check_headers(request: &IncomingRequest<'_>, meta: &Meta<'_>) -> Result<Revision, RpcError> {
    let version = check_envelope(meta)?;
    let headers = request.exchange.and_then(|exchange| exchange.headers);
    if let Some(headers) = headers {
        header_match::check_version(headers, &version)?;
    }
    let revision = check_version(&version)?;
    if let Some(headers) = headers {
        header_match::check_routing(headers, request.method, request.method_name, request.frame)?;
    }
    Ok(revision)
}

fn discover(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    if !request.registry.layers.is_empty() {
        return list_through_layers(Method::Discover, request, caller, out);
    }
    let result = request.connection.server.discovery_result(request.registry, caller.revision);
    Ok(DispatchResult::Done(write_result(out, request.id.as_str(), result)))
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
        Some(revision) if revision.has(Feature::Stateless) => Ok(revision),
        other => {
            let hint = if other.is_some() { "; clients of this version begin with `initialize`" } else { "" };
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
         `io.modelcontextprotocol/clientCapabilities` (an object); clients of earlier revisions begin with `initialize`",
    )
}

/// Checks the other members of `_meta`. Without a level, the client gets no log messages.
fn check_meta<'a>(meta: &Meta<'a>, revision: Revision) -> Result<CallerInfo<'a>, RpcError> {
    let progress_token = match meta.progress_token.map(Id::parse) {
        Some(None) => {
            return Err(RpcError::invalid_params("Invalid params: `progressToken` must be a string or an integer"));
        }
        token => token.flatten(),
    };
    let log = match meta.log_level {
        None => LogFilter::None,
        Some(level) => string_value(level)
            .as_deref()
            .and_then(LoggingLevel::parse)
            .map(LogFilter::From)
            .ok_or_else(unknown_level)?,
    };
    Ok(CallerInfo { revision, client: None, progress_token, log })
}

pub(crate) fn unknown_level() -> RpcError {
    RpcError::invalid_params(
        "Invalid params: the log level must be one of debug, info, notice, warning, error, critical, alert, emergency",
    )
}
