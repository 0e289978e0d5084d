//! Subscriptions: `subscriptions/listen`, and its predecessors in sessions.
//!
//! A subscription is not a call: it takes no call's place, waits for none, and a server that shuts down does not wait
//! for it.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::call::CallFacts;
use super::methods::required;
use super::notifications::{MAX_SUBSCRIPTIONS, MAX_URI_BYTES, MAX_URIS, Refused, Wanted, write_meta};
use super::visibility::Sight;
use super::{Admitted, Connection, Dispatched, Request, finish_frame};
use crate::component::result_writer::unknown_resource;
use crate::context::Transport;
use crate::context::change_hub::{ListKind, Lists};
use crate::json::encode;
use crate::json::object::{self, Raw, members, text};
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

impl Connection {
    /// Handles `subscriptions/listen`: acknowledges it now, and answers it when the subscription ends.
    pub(crate) fn listen(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        if request.is_member() {
            let text = "Invalid request: `subscriptions/listen` cannot be part of a batch";
            return Err(RpcError::new(code::INVALID_REQUEST, text));
        }
        let wanted = honoured(&self.sight(request, facts), wanted(request)?);
        let key = request.id.key();
        if let Admitted::Reserved(mut place) = request.admitted.take() {
            // The call that had the id ends here, and the subscription takes the id.
            if !place.open_stream() {
                return Ok(Dispatched::Done);
            }
        } else if !self.in_flight().open_stream(key.clone()) {
            return Err(RpcError::new(
                code::INVALID_REQUEST,
                "Invalid request: another request with this id is not yet answered",
            ));
        }
        let id = request.id.as_str();
        let acknowledgement = acknowledgement(id, &wanted);
        let opened = self.feed().open(request.id, wanted, || {
            out.extend_from_slice(&acknowledgement);
            self.send_now(out);
        });
        if opened.is_ok() && !self.in_flight().has_stream(&key) {
            // The reading thread has cancelled it in the meantime.
            self.feed().close(&key);
        }
        opened.map(|()| Dispatched::Done).map_err(|refused| {
            self.in_flight().close_stream(&key);
            refusal(&refused)
        })
    }

    /// Handles `resources/subscribe` of a legacy session.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let uri = required(request, "uri", |params| params.uri)?;
        if self.sight(request, facts).resource(&uri).is_none() {
            return Err(unknown_resource(&uri, facts.revision));
        }
        let subscribed = self.feed().subscribe(&uri, || {
            finish_frame(out, |out| write::result(out, request.id.as_str(), b"{}"));
            if request.exchange.is_some() {
                // The request has its own return path, where no notification can overtake the response.
            } else if request.is_member() {
                // The response is part of the batch's response.
                self.answers_late.store(true, Ordering::Release);
            } else {
                self.send_now(out);
            }
        });
        subscribed.map(|()| Dispatched::Done).map_err(|refused| refusal(&refused))
    }

    /// Handles `resources/unsubscribe` of a legacy session. A URI without a subscription need not exist.
    pub(crate) fn unsubscribe(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Result<Dispatched, RpcError> {
        self.feed().unsubscribe(&required(request, "uri", |params| params.uri)?);
        finish_frame(out, |out| write::result(out, request.id.as_str(), b"{}"));
        Ok(Dispatched::Done)
    }

    /// Handles `notifications/initialized`: from now on, the session may get notifications that belong to no request.
    pub(crate) fn begin_session(&self, out: &mut Vec<u8>) {
        self.feed().begin_session(|| self.send_now(out));
    }

    /// Sends the frames that are ready on the path of the notifications, which then cannot overtake them.
    pub(crate) fn send_now(&self, out: &mut Vec<u8>) {
        // From now on, the writer must check the outbox, even while there are no calls.
        self.answers_late.store(true, Ordering::Release);
        self.outbox().push(out);
        out.clear();
    }

    /// Ends all subscriptions: each is answered, and then cancelled, because the cancellation signals the end of a
    /// server where subscriptions share a stream with all other messages.
    pub(crate) fn end_subscriptions(&self) {
        self.feed().end(|out, id| {
            finish_frame(out, |out| {
                write::begin_result(out, id);
                out.extend_from_slice(br#"{"resultType":"complete","#);
                write_meta(out, id);
                let server_info = self.server.server_info.member();
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
            if self.transport == Transport::Http {
                return;
            }
            finish_frame(out, |out| {
                out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"#);
                write::append_id(out, id);
                out.extend_from_slice(br#","reason":"the server ends"}}"#);
            });
        });
    }
}

/// Parses the filter of a request.
fn wanted(request: &Request<'_>) -> Result<Wanted, RpcError> {
    let filter = request.frame.params().and_then(|params| params.notifications).map(Raw::get);
    let filter = filter.filter(|filter| filter.starts_with('{')).ok_or_else(|| {
        RpcError::invalid_params(
            "Invalid params: `subscriptions/listen` wants `notifications`, an object that says what to tell: \
             `toolsListChanged`, `resourcesListChanged`, `promptsListChanged`, `resourceSubscriptions`",
        )
    })?;
    let filter: Filter<'_> = object::read(filter)
        .map_err(|_| RpcError::invalid_params("Invalid params: `notifications` gives a member twice"))?;
    let flags = [
        (ListKind::Tools, "toolsListChanged", filter.tools),
        (ListKind::Resources, "resourcesListChanged", filter.resources),
        (ListKind::Prompts, "promptsListChanged", filter.prompts),
    ];
    let mut lists = Lists::NONE;
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
    Ok(Wanted { lists, uris: filter.uris.map_or_else(|| Ok(Vec::new()), wanted_uris)? })
}

fn wanted_uris(raw: Raw<'_>) -> Result<Vec<Arc<str>>, RpcError> {
    let invalid =
        || RpcError::invalid_params("Invalid params: `notifications.resourceSubscriptions` must be a list of URIs");
    let Uris(uris) = serde_json::from_str(raw.get()).map_err(|_| invalid())?;
    let bytes: usize = uris.iter().map(|uri| uri.get().len()).sum();
    if uris.len() > MAX_URIS || bytes > MAX_URI_BYTES {
        return Err(RpcError::invalid_params(format!(
            "Invalid params: a subscription may name at most {MAX_URIS} resources, whose URIs have at most {MAX_URI_BYTES} bytes; open several",
        )));
    }
    let mut seen = HashSet::new();
    let mut wanted = Vec::new();
    for uri in uris {
        let uri: Arc<str> = text(uri.into()).ok_or_else(invalid)?.into();
        if seen.insert(Arc::clone(&uri)) {
            wanted.push(uri);
        }
    }
    Ok(wanted)
}

/// A list that keeps at most one more item than a subscription may have, which shows that there are too many.
struct Uris<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Uris<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(UrisVisitor)
    }
}

struct UrisVisitor;

impl<'de> Visitor<'de> for UrisVisitor {
    type Value = Uris<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of URIs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Uris<'de>, A::Error> {
        let mut uris = Vec::new();
        while uris.len() <= MAX_URIS {
            let Some(uri) = seq.next_element()? else { return Ok(Uris(uris)) };
            uris.push(uri);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Uris(uris))
    }
}

/// Limits a subscription to existing components that are visible to the client. All others are left out silently, so
/// that a client cannot discover them.
fn honoured(sight: &Sight<'_>, wanted: Wanted) -> Wanted {
    let Wanted { lists, mut uris } = wanted;
    uris.retain(|uri| sight.resource(uri).is_some());
    Wanted { lists: lists.and(sight.registry().offers.list_changes), uris }
}

fn acknowledgement(id: &str, honoured: &Wanted) -> Vec<u8> {
    let mut out = Vec::new();
    finish_frame(&mut out, |out| {
        out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"#);
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
            let _ = encode::json(out, &uris);
        }
        out.extend_from_slice(b"}}}");
    });
    out
}

fn refusal(refused: &Refused) -> RpcError {
    match refused {
        Refused::Ended => RpcError::new(code::INTERNAL_ERROR, "Internal error: the server is about to end"),
        Refused::TooManySubscriptions => RpcError::new(
            code::INTERNAL_ERROR,
            format!("Internal error: there are {MAX_SUBSCRIPTIONS} subscriptions already; cancel one of them first"),
        ),
        Refused::TooManyUris => RpcError::new(
            code::INTERNAL_ERROR,
            format!(
                "Internal error: a session may subscribe to at most {MAX_URIS} resources, whose URIs have at most {MAX_URI_BYTES} bytes; unsubscribe from some first"
            ),
        ),
    }
}

impl Request<'_> {
    fn is_member(&self) -> bool {
        let admitted = self.admitted.take();
        let is_member = matches!(admitted, Admitted::Member);
        self.admitted.set(admitted);
        is_member
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
            let wanted = Wanted { lists: lists.iter().copied().collect(), uris };
            let mut frame: Value = serde_json::from_slice(&acknowledgement("\"a\"", &wanted)).unwrap();
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
