//! Calls that need several rounds: the results that a modern client sends, and the next requests to it.
//!
//! The server stores nothing of a round. The state for the next round travels in `requestState`, sealed and bound to
//! the principal and the request; every state that cannot be opened is rejected with the same error.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::super::connection::Connection;
use super::super::request::{CallerInfo, IncomingRequest};
use crate::client_features::conversation::{CallClientRequests, InputRequired, MAX_FRUITLESS_ROUNDS, RequestChannel};
use crate::component::result_writer::{ResultWriter, Subject};
use crate::json::object::Raw;
use crate::protocol::write::{RpcError, code};
use crate::sealing::{Binding, RequestState, SealError, digest_of_json};
use crate::util::operator_log;

/// The maximum length of the results of client requests, in bytes: as a tree of values they take many times the memory.
pub(crate) const MAX_RESPONSES_BYTES: usize = 1 << 20;
/// The maximum length, in bytes, of arguments that are kept as text until a client request needs their digest.
const MAX_INLINE_ARGUMENTS: usize = 4 << 10;

/// The arguments of a call, to which the seal of its client requests is bound.
#[derive(Debug)]
pub(crate) enum CallArguments {
    Text(Box<str>),
    Digest([u8; 32]),
}

impl CallArguments {
    pub(crate) fn from_request(request: &IncomingRequest<'_>) -> CallArguments {
        let text = || request.frame.params().and_then(|params| params.arguments).map_or("{}", Raw::get);
        let text = request.arguments.get().map_or_else(text, String::as_str);
        if text.len() <= MAX_INLINE_ARGUMENTS {
            CallArguments::Text(text.into())
        } else {
            CallArguments::Digest(digest_of_json(text))
        }
    }

    fn digest(&self) -> [u8; 32] {
        match self {
            CallArguments::Text(text) => digest_of_json(text),
            CallArguments::Digest(digest) => *digest,
        }
    }
}

/// The state from the earlier rounds of a call, and the results of its last client requests.
#[derive(Default)]
pub(crate) struct EarlierRounds {
    state: RequestState,
    responses: Map<String, Value>,
}

/// Returns the state and the results that a request carries from the earlier rounds of its call.
pub(crate) fn open_earlier_rounds(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    subject: &Subject,
    name: &str,
) -> Result<Option<Box<EarlierRounds>>, RpcError> {
    let params = request.frame.params().filter(|_| caller.client.is_none() && subject.allows_client_requests());
    let sealed = params.and_then(|params| params.request_state);
    let responses = params.and_then(|params| params.input_responses);
    if sealed.is_none() && responses.is_none() {
        return Ok(None);
    }
    let state = sealed.map(|sealed| {
        open_request_state(sealed, request, subject, name)
            .ok_or_else(|| RpcError::invalid_params("Invalid params: `requestState` does not belong to this request"))
    });
    let state = state.transpose()?;
    let responses = responses.map_or(Ok(Map::new()), read_responses)?;
    // Without the state, the requests are unknown, and a result would be a consent to anything.
    Ok(state.map(|state| Box::new(EarlierRounds { state, responses })))
}

/// Returns the client requests of a call, with the results that it already has.
pub(crate) fn new_client_requests(
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    subject: &Subject,
    earlier: Option<Box<EarlierRounds>>,
) -> CallClientRequests {
    let channel = match caller.client {
        _ if !subject.allows_client_requests() => RequestChannel::None,
        Some(_) if request.exchange.is_some_and(|exchange| !exchange.takes_requests) => RequestChannel::ResponseOnly,
        Some(_) => RequestChannel::Requests(Arc::clone(request.connection.client_requests())),
        None => RequestChannel::Rounds,
    };
    let EarlierRounds { state, responses } = *earlier.unwrap_or_default();
    CallClientRequests::new(channel, state, responses)
}

fn open_request_state(
    sealed: Raw<'_>,
    request: &IncomingRequest<'_>,
    subject: &Subject,
    name: &str,
) -> Option<RequestState> {
    let sealed: String = serde_json::from_str(sealed.get()).ok()?;
    let arguments = CallArguments::from_request(request).digest();
    let connection = request.connection;
    let binding = binding(connection, subject, name, arguments);
    connection.server.sealer.open_state(&sealed, &binding, SystemTime::now())
}

/// Returns the values that a sealed state is bound to: with other values, it cannot be opened.
fn binding<'a>(connection: &'a Connection, subject: &'a Subject, name: &'a str, arguments: [u8; 32]) -> Binding<'a> {
    let component = match subject {
        Subject::ResourceRead { uri, .. } => uri,
        _ => name,
    };
    let principal = connection.principal.as_ref().map(|principal| principal.id());
    Binding { server: &connection.server.config.name, principal, method: subject.noun(), component, arguments }
}

/// Ends a call with the requests to its client.
pub(crate) fn write_input_required(
    connection: &Connection,
    answer: &mut ResultWriter<'_>,
    input_required: InputRequired,
    subject: &Subject,
    name: &str,
    arguments: &CallArguments,
) {
    match seal_request_state(connection, input_required, subject, name, arguments) {
        Ok((requests, sealed)) => answer.input_required(&requests, &sealed),
        Err(InputRequiredError { for_client, for_operator }) => {
            let id = operator_log::error_id();
            let noun = subject.noun();
            operator_log::error(format_args!("the {noun} `{name}` cannot ask its client (error {id}): {for_operator}"));
            answer.rpc_error(RpcError::new(code::INTERNAL_ERROR, format!("Internal error {id}{for_client}")));
        }
    }
}

fn seal_request_state(
    connection: &Connection,
    input_required: InputRequired,
    subject: &Subject,
    name: &str,
    arguments: &CallArguments,
) -> Result<(Map<String, Value>, String), InputRequiredError> {
    let InputRequired { requests, state, fruitless_key } = input_required;
    if let Some(key) = fruitless_key {
        return Err(InputRequiredError::for_fruitless_rounds(&key));
    }
    let binding = binding(connection, subject, name, arguments.digest());
    let lifetime = connection.server.config.request_state_ttl;
    let sealed = connection.server.sealer.seal_state(state, &binding, SystemTime::now(), lifetime);
    let sealed = sealed.map_err(|error| InputRequiredError::from_seal_error(&error, requests.len()))?;
    Ok((requests, sealed))
}

/// The reason why a call cannot ask its client.
struct InputRequiredError {
    /// The text after "Internal error" and its id.
    for_client: String,
    for_operator: String,
}

impl InputRequiredError {
    fn for_fruitless_rounds(key: &str) -> InputRequiredError {
        // A key may be long, and may contain the client's arguments.
        let key: String = key.chars().take(128).flat_map(char::escape_debug).collect();
        let rounds = MAX_FRUITLESS_ROUNDS;
        InputRequiredError {
            for_client: format!(
                ": the request `{key}` to the client changed in each of {rounds} rounds, so no response matched it"
            ),
            for_operator: format!(
                "the client has responded {rounds} times, and each time the request `{key}` had changed by then. A \
                 request must have the same key, text and schema when the function runs again: keep values that \
                 change, such as times and random numbers, in `Context::remember`"
            ),
        }
    }

    fn from_seal_error(error: &SealError, questions: usize) -> InputRequiredError {
        match error {
            SealError::TooLong { length, limit } => InputRequiredError {
                for_client: format!(
                    ": `requestState` would have {length} bytes; the limit of this server is {limit} bytes \
                     (`App::max_request_state`)"
                ),
                for_operator: format!(
                    "its open requests ({questions}), the responses so far and its remembered values need a \
                     `requestState` of {length} bytes; the limit is {limit}: send fewer requests at a time, remember \
                     less, keep large values in a store and remember their keys, or raise `App::max_request_state`, \
                     which is at most half of `App::max_line` or `HttpConfig::max_body`"
                ),
            },
            SealError::NoRandomNumbers => {
                InputRequiredError { for_client: String::new(), for_operator: error.to_string() }
            }
        }
    }
}

/// Parses the results by the keys of their requests; each result is an object.
fn read_responses(raw: Raw<'_>) -> Result<Map<String, Value>, RpcError> {
    let invalid =
        || RpcError::invalid_params("Invalid params: `inputResponses` must be an object whose values are objects");
    if raw.get().len() > MAX_RESPONSES_BYTES {
        let text = format!("Invalid params: `inputResponses` may have at most {MAX_RESPONSES_BYTES} bytes");
        return Err(RpcError::invalid_params(text));
    }
    let responses: Map<String, Value> = serde_json::from_str(raw.get()).map_err(|_| invalid())?;
    if responses.values().all(Value::is_object) { Ok(responses) } else { Err(invalid()) }
}
