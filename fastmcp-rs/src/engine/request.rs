//! A message and its request, on their way to the code that answers them.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Notify;

use super::call::in_flight::CallPermit;
use super::connection::Connection;
use super::http_exchange::{ArgumentsGuard, HttpExchange};
use super::instrument::Instrumentation;
use crate::client_features::conversation::CallClientRequests;
use crate::context::nested_calls::NestedCalls;
use crate::context::transport_facts::{ClientAddr, TransportFacts};
use crate::context::{self, ClientDeclaration, Delivery, LogFilter};
use crate::json::object::Raw;
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::frame::{Frame, find_meta};
use crate::protocol::id::Id;
use crate::protocol::write::RpcError;
use crate::protocol::{ProtocolMethod, Revision};
use crate::registry::{ComponentHandler, Registry};
use crate::telemetry::Target;

/// A message on its way, before its frame is read.
#[derive(Clone, Copy)]
pub(crate) struct IncomingMessage<'a> {
    pub(super) connection: &'a Arc<Connection>,
    /// The components at the time of the message.
    pub(super) registry: &'a Arc<Registry>,
    pub(super) text: &'a str,
    pub(super) exchange: Option<&'a HttpExchange<'a>>,
}

/// A request with a well-formed frame.
pub(crate) struct IncomingRequest<'a> {
    pub(super) connection: &'a Arc<Connection>,
    pub(super) registry: &'a Arc<Registry>,
    pub(super) message: &'a str,
    pub(super) frame: &'a Frame<'a>,
    pub(super) id: Id<'a>,
    /// `None` for a method that this library does not know.
    pub(super) method: Option<ProtocolMethod>,
    /// The method as the client has written it.
    pub(super) method_name: &'a str,
    /// The arguments without those that the client has added to the model's arguments, if there are any.
    pub(super) arguments: OnceCell<String>,
    /// The permit of the request, if it has one already.
    pub(super) permit: Cell<Option<CallPermit>>,
    /// Whether the request is part of a batch, which has one permit as a whole.
    pub(super) is_batch_member: bool,
    pub(super) exchange: Option<&'a HttpExchange<'a>>,
    /// The request's span and metrics, if they are recorded.
    pub(super) instrumentation: Option<&'a Instrumentation>,
}

/// The facts about a request that a call needs.
pub(crate) struct CallerInfo<'a> {
    pub(super) revision: Revision,
    pub(super) client: Option<&'a Arc<ClientDeclaration>>,
    pub(super) progress_token: Option<Id<'a>>,
    pub(super) log: LogFilter,
}

/// The admission of a message before its request is known.
#[derive(Debug)]
pub(crate) enum EarlierAdmission {
    None,
    /// The message has its permit already, because it has waited.
    Permit(CallPermit),
    /// The message is part of a batch, which was admitted as a whole.
    Batch,
}

impl IncomingRequest<'_> {
    /// Returns true if the request names its revision.
    pub(crate) fn names_revision(&self) -> bool {
        self.frame.meta().is_some_and(|meta| meta.protocol_version.is_some())
    }

    /// Returns the queue for a response that is not ready at once.
    pub(crate) fn outgoing(&self) -> &Arc<OutgoingQueue> {
        self.exchange.map_or_else(|| self.connection.queue(), |exchange| exchange.outgoing(self.connection))
    }

    /// Returns the value that the calls of the request keep until they have ended.
    pub(crate) fn retained(&self) -> Option<&ArgumentsGuard> {
        self.exchange.and_then(|exchange| exchange.retained.as_ref())
    }

    /// Returns true if the request has its permit already.
    pub(crate) fn holds_permit(&self) -> bool {
        let permit = self.permit.take();
        let is_held = permit.is_some();
        self.permit.set(permit);
        is_held
    }

    /// Records the component that the request addresses.
    #[inline]
    pub(crate) fn set_target(&self, target: Target, handler: &ComponentHandler) {
        if let Some(instrumentation) = self.instrumentation {
            instrumentation.set_target(target, handler);
        }
    }

    fn client_addr(&self) -> Option<ClientAddr> {
        match self.exchange {
            Some(exchange) => exchange.transport_info.client.map(ClientAddr::new),
            None => self.connection.test_client_addr(),
        }
    }

    fn transport_facts(&self) -> Option<Arc<TransportFacts>> {
        match self.exchange {
            Some(exchange) => exchange.transport_info.facts(&self.connection.server.config),
            None => self.connection.test_facts(),
        }
    }

    /// Creates the part of the request that a context refers to.
    pub(crate) fn for_context(
        &self,
        caller: &CallerInfo<'_>,
        timeout: Duration,
        client_requests: CallClientRequests,
    ) -> Arc<context::CallRequest> {
        Arc::new(context::CallRequest {
            id: self.id.key().into(),
            principal: self.connection.principal.clone(),
            nested_calls: Arc::clone(self.connection) as Arc<dyn NestedCalls>,
            nested_call_count: AtomicU32::new(0),
            revision: caller.revision,
            transport: self.connection.transport,
            // The message is read again only if it has a `_meta`.
            meta: self
                .frame
                .params()
                .and_then(|params| params.meta.as_ref())
                .and_then(|_| find_meta(self.message))
                .map(Into::into),
            client: caller.client.cloned(),
            progress_token: caller.progress_token.map(|token| token.as_str().into()),
            log: caller.log.clone(),
            deadline: Instant::now().checked_add(timeout),
            outgoing: Arc::clone(self.outgoing()),
            is_cancelled: AtomicBool::new(false),
            cancel_notify: Notify::new(),
            delivery: Delivery::new(),
            retained: self.retained().map(Arc::downgrade),
            client_addr: self.client_addr(),
            transport_facts: self.transport_facts(),
            transport_trace: self.exchange.and_then(|exchange| exchange.transport_info.trace()),
            client_requests,
        })
    }
}

/// The maximum length of a value that a client sends to describe itself or to refer to a component. A tree of values
/// takes sixty times the memory of its text.
const MAX_MEMBER_BYTES: usize = 64 << 10;

/// Parses a small value; returns `null` if it is absent.
pub(crate) fn read_member(raw: Option<Raw<'_>>, name: &str) -> Result<Value, RpcError> {
    let text = member_text(raw, name)?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
}

/// Returns the text of a small value.
pub(crate) fn member_text<'a>(raw: Option<Raw<'a>>, name: &str) -> Result<Option<&'a str>, RpcError> {
    match raw {
        Some(raw) if raw.get().len() > MAX_MEMBER_BYTES => {
            Err(RpcError::invalid_params(format!("Invalid params: `{name}` may have at most {MAX_MEMBER_BYTES} bytes")))
        }
        raw => Ok(raw.map(|raw| raw.get())),
    }
}
