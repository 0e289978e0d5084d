//! The calls that have begun and are not yet answered.
//!
//! Each call is settled once, in the table: by the call itself, which is then answered, or by a cancellation, after
//! which it is not answered. So there is exactly one response, or none. An id stays in the table until the response
//! goes out, so that a second request with the same id is rejected in the meantime.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use foldhash::{HashMap, HashSet};
use tokio::sync::Notify;

use crate::protocol::id::IdKey;
use crate::util::sync::Mutex;

/// The maximum number of calls that have a permit; all others wait.
const MAX_CONCURRENT_CALLS: usize = 256;
/// The maximum total length of waiting requests in bytes; all others are rejected.
const MAX_QUEUED_BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(crate) struct InFlightCalls {
    table: Mutex<CallTable>,
    /// The number of calls that have a permit or wait, so that a reader with nothing in flight need not lock.
    count: AtomicUsize,
    /// The number of responses that are certain and not yet on their way.
    unsent_responses: AtomicUsize,
    /// The number of open subscriptions.
    subscriptions: AtomicUsize,
}

#[derive(Debug, Default)]
struct CallTable {
    running: HashMap<IdKey, RunningCall>,
    /// The number of the most recent call.
    last_call: u64,
    /// The number of calls that have a permit: running calls, and those whose response is not yet on its way.
    permits: usize,
    /// The waiting requests in order; a cancelled request stays here until its turn.
    queued: VecDeque<QueuedRequest>,
    queued_bytes: usize,
    /// The tickets of the requests that still wait, by id: an id may be used again after a cancellation.
    tickets: HashMap<IdKey, u64>,
    last_ticket: u64,
    /// The ids of open subscriptions, which have no permit, because nothing waits for them.
    subscriptions: HashSet<IdKey>,
}

#[derive(Debug)]
struct RunningCall {
    /// Distinguishes the call from a later call with the same id.
    number: u64,
    /// Created when the call waits for it.
    cancellation: Option<Arc<Cancellation>>,
    /// Whether the response is certain, so that the call cannot be cancelled any more.
    is_committed: bool,
}

impl RunningCall {
    fn cancel(&self) {
        if let Some(cancellation) = &self.cancellation {
            cancellation.cancel();
        }
    }
}

impl CallTable {
    fn contains(&self, key: &IdKey) -> bool {
        self.running.contains_key(key) || self.tickets.contains_key(key) || self.subscriptions.contains(key)
    }

    /// Removes a call, unless the id belongs to another call by now.
    fn remove(&mut self, key: &IdKey, number: u64) {
        if self.running_call(key, number).is_some() {
            self.running.remove(key);
        }
    }

    /// Returns a call, or `None` if it was cancelled: then the id is free, and may belong to another call by now.
    fn running_call(&mut self, key: &IdKey, number: u64) -> Option<&mut RunningCall> {
        self.running.get_mut(key).filter(|call| call.number == number)
    }
}

#[derive(Debug)]
struct QueuedRequest {
    /// `None` for a batch, which has no id.
    key: Option<IdKey>,
    ticket: u64,
    message: Box<str>,
}

/// The permit of a call, which it keeps until its response is on its way, with its id.
#[derive(Debug)]
pub(crate) struct CallPermit {
    calls: Arc<InFlightCalls>,
    /// The call's id and number. `None` for a batch, for a response that is certain, and after the id was released.
    call: Option<(IdKey, u64)>,
    /// Whether the response is certain: the call has ended, and cannot be cancelled any more.
    is_response_certain: bool,
}

impl CallPermit {
    /// Marks the response as certain.
    pub(crate) fn mark_response_certain(&mut self) {
        if !std::mem::replace(&mut self.is_response_certain, true) {
            self.calls.unsent_responses.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Settles the call, which is then answered. Returns `false` if it was cancelled before.
    pub(crate) fn commit_response(&self) -> bool {
        let Some((key, number)) = &self.call else { return true };
        match self.calls.table.lock().running_call(key, *number) {
            Some(call) => {
                call.is_committed = true;
                true
            }
            None => false,
        }
    }

    /// Ends the call and gives its id to a subscription. Returns `false` if the call was cancelled before.
    pub(crate) fn open_subscription(&mut self) -> bool {
        let Some((key, number)) = self.call.take() else { return false };
        let mut table = self.calls.table.lock();
        if table.running_call(&key, number).is_none() {
            return false;
        }
        table.running.remove(&key);
        table.subscriptions.insert(key);
        self.calls.subscriptions.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Releases the id, because the response goes out now and its reader may use the id again.
    pub(crate) fn release_id(&mut self) {
        if let Some((key, number)) = self.call.take() {
            self.calls.table.lock().remove(&key, number);
        }
    }

    /// Returns the signal that reports the call's cancellation.
    pub(crate) fn cancellation(&self) -> Arc<Cancellation> {
        let Some((key, number)) = &self.call else { return Arc::default() };
        match self.calls.table.lock().running_call(key, *number) {
            Some(call) => Arc::clone(call.cancellation.get_or_insert_default()),
            None => {
                let cancellation = Cancellation::default();
                cancellation.cancel();
                Arc::new(cancellation)
            }
        }
    }
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        let mut table = self.calls.table.lock();
        table.permits -= 1;
        if let Some((key, number)) = &self.call {
            table.remove(key, *number);
        }
        drop(table);
        self.calls.count.fetch_sub(1, Ordering::AcqRel);
        if self.is_response_certain {
            self.calls.unsent_responses.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// A signal that cancels a call.
#[derive(Debug, Default)]
pub(crate) struct Cancellation {
    cancelled: AtomicBool,
    notify: Notify,
}

impl Cancellation {
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        // There is one waiter, and a permit is stored for it if it does not wait yet.
        self.notify.notify_one();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    pub(crate) async fn cancelled(&self) {
        if !self.is_cancelled() {
            self.notify.notified().await;
        }
    }
}

/// The decision about a new call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Start,
    /// The request was kept, and [`InFlightCalls::next_queued`] returns it later.
    Wait,
    /// Another call with this id is not yet answered.
    DuplicateId,
    /// There is no permit, and the request cannot be kept.
    Overload,
}

impl InFlightCalls {
    /// Returns the number of calls that are not yet answered.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Returns the number of requests that wait for others to end.
    pub(crate) fn queued_count(&self) -> usize {
        let table = self.table.lock();
        table.tickets.len() + table.queued.iter().filter(|waiting| waiting.key.is_none()).count()
    }

    /// Returns true if a request with that id is not yet answered.
    #[cfg(feature = "http")]
    pub(crate) fn contains(&self, key: &IdKey) -> bool {
        self.table.lock().contains(key)
    }

    /// Returns true if a new call has to wait for others.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= MAX_CONCURRENT_CALLS && self.table.lock().permits >= MAX_CONCURRENT_CALLS
    }

    /// Decides whether a call may start. The call takes no permit yet, because most calls end before they need one.
    ///
    /// `in_batch`: whether the call is part of a batch, which has a permit as a whole. `may_wait`: whether the request
    /// can be kept until there is a permit.
    pub(crate) fn admit(
        &self,
        key: impl FnOnce() -> IdKey,
        message: &str,
        in_batch: bool,
        may_wait: bool,
    ) -> Admission {
        if self.len() == 0 && self.subscriptions.load(Ordering::Relaxed) == 0 {
            return Admission::Start;
        }
        let key = key();
        let mut table = self.table.lock();
        if table.contains(&key) {
            return Admission::DuplicateId;
        }
        if in_batch { Admission::Start } else { self.admit_message(&mut table, Some(key), message, may_wait) }
    }

    /// Does the same for a batch.
    pub(crate) fn admit_batch(&self, message: &str, may_wait: bool) -> Admission {
        self.admit_message(&mut self.table.lock(), None, message, may_wait)
    }

    /// Takes a permit for a request whose response cannot be ready at once, or for a batch, before it is served. The
    /// error [`Admission::Wait`] means that the request was kept, as by [`InFlightCalls::admit`].
    pub(crate) fn acquire_or_queue(
        self: &Arc<Self>,
        key: Option<IdKey>,
        message: &str,
    ) -> Result<CallPermit, Admission> {
        let mut table = self.table.lock();
        if key.as_ref().is_some_and(|key| table.contains(key)) {
            return Err(Admission::DuplicateId);
        }
        match self.admit_message(&mut table, key.clone(), message, true) {
            Admission::Start => Ok(self.take_permit(&mut table, key)),
            other => Err(other),
        }
    }

    fn admit_message(&self, table: &mut CallTable, key: Option<IdKey>, message: &str, may_wait: bool) -> Admission {
        if table.permits < MAX_CONCURRENT_CALLS {
            return Admission::Start;
        }
        if !may_wait || table.queued_bytes + message.len() > MAX_QUEUED_BYTES {
            return Admission::Overload;
        }
        table.queued_bytes += message.len();
        table.last_ticket += 1;
        let ticket = table.last_ticket;
        if let Some(key) = &key {
            table.tickets.insert(key.clone(), ticket);
        }
        table.queued.push_back(QueuedRequest { key, ticket, message: message.into() });
        self.count.fetch_add(1, Ordering::AcqRel);
        Admission::Wait
    }

    /// Takes a permit for a call that could not be answered at once.
    pub(crate) fn acquire(self: &Arc<Self>, key: IdKey) -> CallPermit {
        self.take_permit(&mut self.table.lock(), Some(key))
    }

    /// Takes the id and the permit of a call before it is polled: where several threads serve one peer, another thread
    /// may look up the id at any time. `in_batch`: whether the call is part of a batch, which is admitted as a whole.
    pub(crate) fn try_acquire(self: &Arc<Self>, key: IdKey, in_batch: bool) -> Result<CallPermit, Admission> {
        let mut table = self.table.lock();
        if table.contains(&key) {
            return Err(Admission::DuplicateId);
        }
        if !in_batch && table.permits >= MAX_CONCURRENT_CALLS {
            return Err(Admission::Overload);
        }
        Ok(self.take_permit(&mut table, Some(key)))
    }

    /// Returns the number of responses that are certain and not yet on their way.
    #[cfg(feature = "stdio")]
    pub(crate) fn unsent_responses(&self) -> usize {
        self.unsent_responses.load(Ordering::Acquire)
    }

    /// Takes an additional permit, for a response that is certain.
    pub(crate) fn reserve_for_response(self: &Arc<Self>) -> CallPermit {
        let mut permit = self.take_permit(&mut self.table.lock(), None);
        permit.mark_response_certain();
        permit
    }

    fn take_permit(self: &Arc<Self>, table: &mut CallTable, key: Option<IdKey>) -> CallPermit {
        table.permits += 1;
        self.count.fetch_add(1, Ordering::AcqRel);
        let call = key.map(|key| {
            table.last_call += 1;
            let number = table.last_call;
            table.running.insert(key.clone(), RunningCall { number, cancellation: None, is_committed: false });
            (key, number)
        });
        CallPermit { calls: Arc::clone(self), call, is_response_certain: false }
    }

    /// Returns the next waiting request with its permit, if a permit is free.
    pub(crate) fn next_queued(self: &Arc<Self>) -> Option<(Box<str>, CallPermit)> {
        if self.len() == 0 {
            return None;
        }
        let mut table = self.table.lock();
        if table.permits >= MAX_CONCURRENT_CALLS {
            return None;
        }
        loop {
            let QueuedRequest { key, ticket, message } = table.queued.pop_front()?;
            table.queued_bytes -= message.len();
            if key.as_ref().is_some_and(|key| table.tickets.get(key) != Some(&ticket)) {
                // The request was cancelled.
                continue;
            }
            if let Some(key) = &key {
                table.tickets.remove(key);
            }
            let permit = self.take_permit(&mut table, key);
            self.count.fetch_sub(1, Ordering::AcqRel);
            return Some((message, permit));
        }
    }

    /// Takes the id for a subscription; returns `false` if another request has it.
    pub(crate) fn open_subscription(&self, key: IdKey) -> bool {
        let mut table = self.table.lock();
        let is_free = !table.contains(&key);
        if is_free {
            table.subscriptions.insert(key);
            self.subscriptions.fetch_add(1, Ordering::Relaxed);
        }
        is_free
    }

    /// Returns true if a subscription has the id.
    pub(crate) fn has_subscription(&self, key: &IdKey) -> bool {
        self.table.lock().subscriptions.contains(key)
    }

    /// Releases the id of a subscription.
    pub(crate) fn close_subscription(&self, key: &IdKey) {
        if self.table.lock().subscriptions.remove(key) {
            self.subscriptions.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn cancel(&self, key: &IdKey) {
        let mut table = self.table.lock();
        if let Some(call) = table.running.get(key) {
            if !call.is_committed {
                call.cancel();
                table.running.remove(key);
            }
        } else if table.tickets.remove(key).is_some() {
            self.count.fetch_sub(1, Ordering::AcqRel);
        } else if table.subscriptions.remove(key) {
            self.subscriptions.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn cancel_all(&self) {
        let mut table = self.table.lock();
        let batches = table.queued.iter().filter(|waiting| waiting.key.is_none()).count();
        self.count.fetch_sub(table.tickets.len() + batches, Ordering::AcqRel);
        table.queued.clear();
        table.queued_bytes = 0;
        table.tickets.clear();
        table.running.retain(|_, call| {
            if !call.is_committed {
                call.cancel();
            }
            call.is_committed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: i64) -> IdKey {
        IdKey::Integer(number)
    }

    fn admit(calls: &InFlightCalls, id: i64, message: &str) -> Admission {
        calls.admit(|| key(id), message, false, true)
    }

    #[test]
    fn an_id_in_flight_is_refused_until_its_response_or_cancellation() {
        let calls = Arc::new(InFlightCalls::default());
        assert_eq!(admit(&calls, 1, ""), Admission::Start);
        let mut call = calls.acquire(key(1));
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId);
        assert!(call.commit_response());
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId, "its answer is not yet on its way");
        calls.cancel(&key(1));
        calls.cancel_all();
        assert!(!call.cancellation().is_cancelled(), "it is too late for that");
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId);
        call.release_id();
        assert_eq!((admit(&calls, 1, ""), calls.len()), (Admission::Start, 1));
        drop(call);

        let call = calls.acquire(key(1));
        calls.cancel(&key(1));
        assert!(call.cancellation().is_cancelled());
        let other = calls.acquire(key(1));
        assert!(!call.commit_response(), "the id is another call's by now");
        drop(call);
        assert!(other.commit_response());
        drop(other);
        assert_eq!(calls.len(), 0);
    }

    #[test]
    fn a_subscription_takes_the_id_of_its_call_unless_that_was_cancelled() {
        let calls = Arc::new(InFlightCalls::default());
        let mut call = calls.try_acquire(key(1), false).unwrap();
        assert!(call.open_subscription() && calls.has_subscription(&key(1)));
        drop(call);
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId, "the subscription has it");
        calls.cancel(&key(1));
        assert!(!calls.has_subscription(&key(1)));
        let mut call = calls.try_acquire(key(1), false).unwrap();
        calls.cancel(&key(1));
        assert!(!call.open_subscription() && !calls.has_subscription(&key(1)));
    }

    #[test]
    fn an_id_is_reserved_once_under_contention() {
        let calls = Arc::new(InFlightCalls::default());
        let reserved = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| calls.try_acquire(key(1), false))).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap().ok()).collect::<Vec<_>>()
        });
        assert_eq!(reserved.len(), 1);
        assert_eq!(calls.try_acquire(key(1), true).unwrap_err(), Admission::DuplicateId);
        drop(reserved);
        let _running: Vec<_> = (0..256).map(|id| calls.try_acquire(key(id), false).unwrap()).collect();
        assert_eq!(calls.try_acquire(key(1000), false).unwrap_err(), Admission::Overload);
        assert!(calls.try_acquire(key(1000), true).is_ok(), "its batch was admitted");
    }

    #[test]
    fn calls_beyond_the_limit_wait_in_order() {
        let calls = Arc::new(InFlightCalls::default());
        let mut running: Vec<_> = (0..256).map(|id| calls.acquire(key(id))).collect();
        assert_eq!(admit(&calls, 1000, "first"), Admission::Wait);
        assert_eq!(admit(&calls, 1001, "second"), Admission::Wait);
        assert_eq!(admit(&calls, 1001, "second"), Admission::DuplicateId);
        assert_eq!(calls.admit_batch("[]", true), Admission::Wait);
        assert_eq!(admit(&calls, 1002, &"x".repeat(MAX_QUEUED_BYTES)), Admission::Overload);
        assert!(calls.next_queued().is_none());
        calls.cancel(&key(1000));
        assert_eq!(admit(&calls, 1000, "third"), Admission::Wait, "a cancelled id may be used again");
        let next =
            |calls: &Arc<InFlightCalls>| calls.next_queued().map(|(message, permit)| (message.into_string(), permit));

        drop(running.pop());
        let (message, second) = next(&calls).unwrap();
        assert_eq!(message, "second");
        assert_eq!(admit(&calls, 1001, ""), Admission::DuplicateId, "its id is known while it is served");
        assert!(next(&calls).is_none(), "it keeps its place");
        assert!(second.commit_response());
        drop(second);
        let (message, batch) = next(&calls).unwrap();
        assert_eq!(message, "[]");
        assert!(batch.commit_response());
        drop(batch);
        let (message, third) = next(&calls).unwrap();
        assert_eq!(message, "third");
        calls.cancel(&key(1000));
        assert!(!third.commit_response(), "it was cancelled while it was served");
        drop(third);
        assert!(next(&calls).is_none());
        calls.cancel_all();
        assert!(running[1].cancellation().is_cancelled());
        drop(running);
        assert_eq!(calls.len(), 0);
    }
}
