//! The requests that this server has sent to its client and that await a response.
//!
//! Only legacy clients get such requests; a modern client answers in its next request. Removing an id from the table
//! decides between the response and the end of the wait.

use std::collections::HashMap;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::client_features::ClientRequestError;
use crate::json::encode;
use crate::protocol::{ProtocolMethod, write};
use crate::util::sync::Mutex;

/// The maximum number of requests that may await a response at a time.
const MAX_PENDING: usize = 1_024;

/// The response of a client: a result, or an error with its code and message.
pub(crate) type ClientResponse = Result<Value, (i64, String)>;

#[derive(Debug, Default)]
pub(crate) struct PendingClientRequests {
    table: Mutex<PendingTable>,
}

#[derive(Debug, Default)]
struct PendingTable {
    /// The id before that of the first request.
    base: i64,
    last_id: i64,
    senders: HashMap<i64, oneshot::Sender<ClientResponse>>,
    /// Set when the client can send no more responses.
    is_closed: bool,
}

impl PendingClientRequests {
    /// Creates a table whose ids follow `base`.
    #[cfg(any(feature = "http", test))]
    pub(crate) fn starting_after(base: i64) -> PendingClientRequests {
        PendingClientRequests { table: Mutex::new(PendingTable { base, last_id: base, ..PendingTable::default() }) }
    }

    /// Returns true if a request with this id was opened, even if no call waits for its response any more.
    pub(crate) fn was_opened(&self, id: i64) -> bool {
        let table = self.table.lock();
        table.base < id && id <= table.last_id
    }

    /// Registers a new request. Returns its id, and the receiver of its response.
    pub(crate) fn open_request(&self) -> Result<(i64, oneshot::Receiver<ClientResponse>), ClientRequestError> {
        let mut table = self.table.lock();
        if table.is_closed {
            return Err(ClientRequestError::Ended);
        }
        if table.senders.len() >= MAX_PENDING {
            return Err(ClientRequestError::TooMany);
        }
        table.last_id += 1;
        let id = table.last_id;
        let (sender, receiver) = oneshot::channel();
        table.senders.insert(id, sender);
        Ok((id, receiver))
    }

    /// Ends every wait, present and future, because the client can send no more responses.
    #[cfg(feature = "stdio")]
    pub(crate) fn close(&self) {
        let waiting = {
            let mut table = self.table.lock();
            table.is_closed = true;
            std::mem::take(&mut table.senders)
        };
        // Dropping the senders wakes the receivers.
        drop(waiting);
    }

    /// Returns true if a request of this id awaits a response.
    pub(crate) fn is_open(&self, id: i64) -> bool {
        self.table.lock().senders.contains_key(&id)
    }

    /// Passes a response to the future that waits for it, or drops it if none does.
    pub(crate) fn resolve(&self, id: i64, reply: ClientResponse) {
        let waiting = self.table.lock().senders.remove(&id);
        if let Some(waiting) = waiting {
            // The receiver may be gone by now.
            let _ = waiting.send(reply);
        }
    }

    /// Gives up the wait for a response. Returns the frame that cancels the request, or `None` if the client has
    /// responded.
    pub(crate) fn withdraw(&self, id: i64, reason: &str) -> Option<Vec<u8>> {
        self.table.lock().senders.remove(&id)?;
        let mut frame = Vec::new();
        write::begin_notification(&mut frame, ProtocolMethod::Cancelled);
        frame.extend_from_slice(br#","params":{"requestId":"#);
        // Serializing a number cannot fail.
        let _ = encode::write_json(&mut frame, &id);
        frame.extend_from_slice(br#","reason":"#);
        encode::write_string(&mut frame, reason);
        frame.extend_from_slice(b"}}\n");
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_response_reaches_its_request_once() {
        let requests = PendingClientRequests::default();
        let (id, answer) = requests.open_request().unwrap();
        let (other, _) = requests.open_request().unwrap();
        assert_ne!(id, other);
        requests.resolve(id, Ok(json!({"action": "decline"})));
        requests.resolve(id, Err((0, "again".into())));
        assert_eq!(answer.blocking_recv().unwrap().unwrap(), json!({"action": "decline"}));
        assert!(!requests.is_open(id));
    }

    #[test]
    fn only_requests_without_a_response_are_cancelled() {
        let requests = PendingClientRequests::default();
        let (id, _) = requests.open_request().unwrap();
        requests.resolve(id, Ok(Value::Null));
        assert_eq!(requests.withdraw(id, "x"), None);
        let (id, _) = requests.open_request().unwrap();
        let frame: Value = serde_json::from_slice(&requests.withdraw(id, "x").unwrap()).unwrap();
        assert_eq!(frame["params"], json!({"requestId": id, "reason": "x"}));
        assert_eq!(requests.withdraw(id, "x"), None);
    }

    #[test]
    fn only_opened_ids_are_recognized() {
        let requests = PendingClientRequests::starting_after(1 << 50);
        let (id, _) = requests.open_request().unwrap();
        assert_eq!(id, (1 << 50) + 1);
        assert!(requests.withdraw(id, "x").is_some());
        assert!(requests.was_opened(id), "a late answer is no stray one");
        assert!([0, 1, id - 1, id + 1, i64::MAX].iter().all(|other| !requests.was_opened(*other)));
    }

    #[test]
    fn requests_beyond_the_limit_are_refused() {
        let requests = PendingClientRequests::default();
        let open: Vec<_> = (0..MAX_PENDING).map(|_| requests.open_request().unwrap()).collect();
        assert!(matches!(requests.open_request(), Err(ClientRequestError::TooMany)));
        requests.resolve(open[0].0, Ok(Value::Null));
        assert!(requests.open_request().is_ok());
    }

    #[test]
    fn pending_requests_end_with_the_connection() {
        let requests = PendingClientRequests::default();
        let (id, answer) = requests.open_request().unwrap();
        requests.close();
        assert!(answer.blocking_recv().is_err());
        assert_eq!(requests.withdraw(id, "x"), None);
        assert!(matches!(requests.open_request(), Err(ClientRequestError::Ended)));
    }
}
