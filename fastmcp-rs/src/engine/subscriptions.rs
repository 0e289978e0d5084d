//! Subscriptions: `subscriptions/listen`, and its predecessors in sessions.
//!
//! A subscription is not a call: it takes no call permit, waits for none, and a server that shuts down does not wait
//! for it.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>

use std::collections::HashSet;
use std::sync::Arc;

use super::call::DispatchResult;
use super::call::admission::admission_error;
use super::call::in_flight::Admission;
use super::connection::Connection;
use super::methods::required_string;
use super::notifications::{
    MAX_SUBSCRIPTIONS, MAX_URI_BYTES, MAX_URIS, SubscribeError, SubscriptionTargets, write_meta,
};
use super::registry_view::RegistryView;
use super::request::{CallerInfo, IncomingRequest};
use super::response::{ResponseStatus, write_frame, write_result};
use crate::component::result_writer::unknown_resource;
use crate::context::change_hub::{ListKind, ListSet};
use crate::json::bounded_seq::BoundedSeq;
use crate::json::encode;
use crate::json::object::{self, Raw, members, string_value};
use crate::protocol::ProtocolMethod;
use crate::protocol::write::{self, RpcError, code};

members! {
    /// The filter of a subscription of a modern client.
    Filter {
        tools: "toolsListChanged" => Raw<'a>,
        resources: "resourcesListChanged" => Raw<'a>,
        prompts: "promptsListChanged" => Raw<'a>,
        uris: "resourceSubscriptions" => Raw<'a>,
    }
}

/// Handles `subscriptions/listen`: acknowledges it now, and answers it when the subscription ends.
pub(super) fn open(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    let connection = request.connection;
    if request.is_batch_member {
        let text = "Invalid request: `subscriptions/listen` cannot be part of a batch";
        return Err(RpcError::new(code::INVALID_REQUEST, text));
    }
    let targets = visible_targets(&RegistryView::for_request(request, caller), parse_targets(request)?);
    let key = request.id.key();
    if let Some(mut permit) = request.permit.take() {
        // The call that had the id ends here, and the subscription takes the id.
        if !permit.open_subscription() {
            return Ok(DispatchResult::Done(ResponseStatus::None));
        }
    } else if !connection.in_flight().open_subscription(key.clone()) {
        return Err(admission_error(&Admission::DuplicateId));
    }
    let id = request.id.as_str();
    let acknowledgement = acknowledgement_frame(id, &targets);
    let opened = connection.feed().open_subscription(request.id, targets, || {
        out.extend_from_slice(&acknowledgement);
        connection.queue_output(out);
    });
    if opened.is_ok() && !connection.in_flight().has_subscription(&key) {
        // The reading thread has cancelled it in the meantime.
        connection.feed().close_subscription(&key);
    }
    opened.map(|()| DispatchResult::Done(ResponseStatus::Queued)).map_err(|refused| {
        connection.in_flight().close_subscription(&key);
        subscribe_error(&refused)
    })
}

/// Handles `resources/subscribe` of a legacy session.
pub(super) fn subscribe(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
) -> Result<DispatchResult, RpcError> {
    let connection = request.connection;
    let uri = required_string(request, "uri", |params| params.uri)?;
    if RegistryView::for_request(request, caller).resource(&uri).is_none() {
        return Err(unknown_resource(&uri, caller.revision));
    }
    let mut status = ResponseStatus::Queued;
    let subscribed = connection.feed().subscribe(&uri, || {
        let written = write_result(out, request.id.as_str(), b"{}");
        if request.exchange.is_some() {
            // The request has its own return path, where no notification can overtake the response.
            status = written;
        } else if request.is_batch_member {
            // The response is part of the batch's response.
            connection.mark_queue_used();
            status = written;
        } else {
            connection.queue_output(out);
        }
    });
    subscribed.map(|()| DispatchResult::Done(status)).map_err(|refused| subscribe_error(&refused))
}

/// Handles `resources/unsubscribe` of a legacy session. A URI without a subscription need not exist.
pub(super) fn unsubscribe(request: &IncomingRequest<'_>, out: &mut Vec<u8>) -> Result<DispatchResult, RpcError> {
    request.connection.feed().unsubscribe(&required_string(request, "uri", |params| params.uri)?);
    Ok(DispatchResult::Done(write_result(out, request.id.as_str(), b"{}")))
}

/// Handles `notifications/initialized`: from now on, the session may get notifications that belong to no request.
pub(super) fn start_session_notifications(connection: &Connection, out: &mut Vec<u8>) {
    connection.feed().start_session(|| connection.queue_output(out));
}

/// Ends all subscriptions: each is answered, and then cancelled, because the cancellation signals the end of a server
/// where subscriptions share a stream with all other messages.
#[cfg(any(feature = "http", feature = "stdio", test))]
pub(super) fn close_all(connection: &Connection) {
    connection.feed().close_all(|out, id| {
        write_frame(out, |out| {
            write::begin_result(out, id);
            out.extend_from_slice(br#"{"resultType":"complete","#);
            write_meta(out, id);
            let server_info = connection.server.server_info.member();
            if !server_info.is_empty() {
                // Appends to the object that has just been closed.
                out.pop();
                out.push(b',');
                out.extend_from_slice(server_info);
                out.push(b'}');
            }
            out.extend_from_slice(b"}}");
        });
        // Over HTTP, each subscription has a stream of its own, which ends.
        if connection.transport == crate::context::Transport::Http {
            return;
        }
        write_frame(out, |out| {
            write::begin_notification(out, ProtocolMethod::Cancelled);
            out.extend_from_slice(br#","params":{"requestId":"#);
            write::append_id(out, id);
            out.extend_from_slice(br#","reason":"the server is shutting down"}}"#);
        });
    });
}

/// Parses the filter of a request.
fn parse_targets(request: &IncomingRequest<'_>) -> Result<SubscriptionTargets, RpcError> {
    let filter = request.frame.params().and_then(|params| params.notifications).map(Raw::get);
    let filter = filter.filter(|filter| filter.starts_with('{')).ok_or_else(|| {
        RpcError::invalid_params(
            "Invalid params: `subscriptions/listen` needs `notifications`, an object with members such as \
             `toolsListChanged`, `resourcesListChanged`, `promptsListChanged`, `resourceSubscriptions`",
        )
    })?;
    let filter: Filter<'_> = object::read_members(filter)
        .map_err(|_| RpcError::invalid_params("Invalid params: `notifications` has a duplicate member"))?;
    let flags = [
        (ListKind::Tools, "toolsListChanged", filter.tools),
        (ListKind::Resources, "resourcesListChanged", filter.resources),
        (ListKind::Prompts, "promptsListChanged", filter.prompts),
    ];
    let mut lists = ListSet::NONE;
    for (kind, name, flag) in flags {
        match flag.map(Raw::get) {
            Some("true") => lists = lists.with(kind),
            None | Some("false") => {}
            Some(_) => {
                let text = format!("Invalid params: `notifications.{name}` must be true or false");
                return Err(RpcError::invalid_params(text));
            }
        }
    }
    Ok(SubscriptionTargets { lists, uris: filter.uris.map_or_else(|| Ok(Vec::new()), parse_uris)? })
}

fn parse_uris(raw: Raw<'_>) -> Result<Vec<Arc<str>>, RpcError> {
    let invalid =
        || RpcError::invalid_params("Invalid params: `notifications.resourceSubscriptions` must be a list of URIs");
    let BoundedSeq { elements: uris, has_more } = BoundedSeq::read(raw.get(), MAX_URIS).map_err(|_| invalid())?;
    let bytes: usize = uris.iter().map(|uri| uri.get().len()).sum();
    if has_more || bytes > MAX_URI_BYTES {
        return Err(RpcError::invalid_params(format!(
            "Invalid params: a subscription can have at most {MAX_URIS} resources, with URIs of at most \
             {MAX_URI_BYTES} bytes; open several subscriptions",
        )));
    }
    let mut seen = HashSet::new();
    let mut targets = Vec::new();
    for uri in uris {
        let uri: Arc<str> = string_value(uri.into()).ok_or_else(invalid)?.into();
        if seen.insert(Arc::clone(&uri)) {
            targets.push(uri);
        }
    }
    Ok(targets)
}

/// Limits a subscription to existing components that are visible to the client. All others are left out silently, so
/// that a client cannot discover them.
fn visible_targets(view: &RegistryView<'_>, targets: SubscriptionTargets) -> SubscriptionTargets {
    let SubscriptionTargets { lists, mut uris } = targets;
    uris.retain(|uri| view.resource(uri).is_some());
    SubscriptionTargets { lists: lists.intersection(view.registry().capabilities.list_changes), uris }
}

fn acknowledgement_frame(id: &str, honoured: &SubscriptionTargets) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, |out| {
        write::begin_notification(out, ProtocolMethod::SubscriptionAcknowledged);
        out.extend_from_slice(br#","params":{"#);
        write_meta(out, id);
        out.extend_from_slice(br#","notifications":{"#);
        let begin = out.len();
        let flags: [(ListKind, &[u8]); 3] = [
            (ListKind::Tools, br#""toolsListChanged":true"#),
            (ListKind::Resources, br#""resourcesListChanged":true"#),
            (ListKind::Prompts, br#""promptsListChanged":true"#),
        ];
        let member = |out: &mut Vec<u8>, text: &[u8]| {
            if out.len() > begin {
                out.push(b',');
            }
            out.extend_from_slice(text);
        };
        for (kind, text) in flags {
            if honoured.lists.contains(kind) {
                member(out, text);
            }
        }
        if !honoured.uris.is_empty() {
            member(out, br#""resourceSubscriptions":"#);
            // Serialising strings cannot fail.
            let uris: Vec<&str> = honoured.uris.iter().map(|uri| &**uri).collect();
            let _ = encode::write_json(out, &uris);
        }
        out.extend_from_slice(b"}}}");
    });
    out
}

fn subscribe_error(refused: &SubscribeError) -> RpcError {
    match refused {
        SubscribeError::Ended => RpcError::new(code::INTERNAL_ERROR, "Internal error: the server is shutting down"),
        SubscribeError::TooManySubscriptions => RpcError::new(
            code::INTERNAL_ERROR,
            format!("Internal error: the client already has {MAX_SUBSCRIPTIONS} subscriptions; cancel one first"),
        ),
        SubscribeError::TooManyUris => RpcError::new(
            code::INTERNAL_ERROR,
            format!(
                "Internal error: a session can subscribe to at most {MAX_URIS} resources, with URIs of at most \
                 {MAX_URI_BYTES} bytes; unsubscribe from some first"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_acknowledgement_lists_the_accepted_filter() {
        let honoured = |lists: &[ListKind], uris: &[&str]| {
            let uris = uris.iter().map(|uri| Arc::from(*uri)).collect();
            let targets = SubscriptionTargets { lists: lists.iter().copied().collect(), uris };
            let mut frame: Value = serde_json::from_slice(&acknowledgement_frame("\"a\"", &targets)).unwrap();
            assert_eq!(frame["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "a");
            frame["params"]["notifications"].take()
        };
        assert_eq!(honoured(&[], &[]), json!({}));
        let all = honoured(&ListKind::ALL, &["a:\"b"]);
        let lists = json!({"toolsListChanged": true, "resourcesListChanged": true, "promptsListChanged": true});
        assert_eq!(honoured(&ListKind::ALL, &[]), lists);
        let expected = r#"{"toolsListChanged":true,"resourcesListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a:\"b"]}"#;
        assert_eq!(all.to_string(), expected);
        assert_eq!(
            honoured(&[ListKind::Prompts], &["a:b"]).to_string(),
            r#"{"promptsListChanged":true,"resourceSubscriptions":["a:b"]}"#
        );
    }
}
