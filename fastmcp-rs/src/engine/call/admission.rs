//! Decides on the admission of a call, which starts, waits for others to end, or is refused.

use super::super::request::IncomingRequest;
use super::in_flight::Admission;
use crate::protocol::write::{RpcError, code};

/// Returns true if the request can be served now, and false if it was kept to wait for a permit.
pub(crate) fn admit(request: &IncomingRequest<'_>) -> Result<bool, RpcError> {
    if request.holds_permit() {
        return Ok(true);
    }
    let in_batch = request.is_batch_member;
    if request.exchange.is_some_and(|exchange| exchange.outgoing.is_some()) {
        // Several threads serve the requests of a session, so the id is reserved before the handler is polled.
        let permit = request.connection.in_flight().try_acquire(request.id.key(), in_batch);
        request.permit.set(Some(permit.map_err(|refused| admission_error(&refused))?));
        return Ok(true);
    }
    // Without a table, no call was ever in flight.
    let Some(calls) = request.connection.in_flight_if_used() else { return Ok(true) };
    match calls.admit(|| request.id.key(), request.message, in_batch, request.exchange.is_none()) {
        Admission::Start => Ok(true),
        Admission::Wait => Ok(false),
        refused => Err(admission_error(&refused)),
    }
}

/// Returns the error for a request that is not admitted.
pub(crate) fn admission_error(refused: &Admission) -> RpcError {
    match refused {
        Admission::DuplicateId => {
            let text = "Invalid request: another request with this id is in progress";
            RpcError::new(code::INVALID_REQUEST, text)
        }
        Admission::Start | Admission::Wait | Admission::Overload => {
            let text = "Internal error: too many calls are waiting; try again later";
            RpcError::new(code::INTERNAL_ERROR, text)
        }
    }
}
