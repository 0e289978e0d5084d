//! The calls that have begun and are not yet answered.
//!
//! Each call is settled once, in the table: by the call itself, which is then answered, or by a cancellation, after
//! which it is not answered. So there is exactly one response, or none. An id stays in the table until the response
//! goes out, so that a second request with the same id is rejected in the meantime.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::{HashMap, HashSet};
use tokio::sync::Notify;

use crate::protocol::id::Key;

/// The maximum number of calls that have a place; all others wait.
const MAX_PLACES: usize = 256;
/// The maximum total length of waiting requests in bytes; all others are rejected.
const MAX_WAITING_BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(crate) struct InFlight {
    table: Mutex<Table>,
    /// The number of calls that have a place or wait, so that a reader with nothing in flight need not lock.
    count: AtomicUsize,
    /// The number of responses that are certain and not yet on their way.
    owed: AtomicUsize,
    /// The number of open subscriptions.
    streams: AtomicUsize,
}

#[derive(Debug, Default)]
struct Table {
    running: HashMap<Key, RunningCall>,
    /// The number of the most recent call.
    last_call: u64,
    /// The number of calls that have a place: running calls, and those whose response is not yet on its way.
    places: usize,
    /// The waiting requests in order; a cancelled request stays here until its turn.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// The tickets of the requests that still wait, by id: an id may be used again after a cancellation.
    tickets: HashMap<Key, u64>,
    last_ticket: u64,
    /// The ids of open subscriptions, which have no place, because nothing waits for them.
    streams: HashSet<Key>,
}

#[derive(Debug)]
struct RunningCall {
    /// Distinguishes the call from a later call with the same id.
    number: u64,
    /// Created when the call waits for it.
    cancellation: Option<Arc<Cancellation>>,
    /// Whether the response is certain, so that the call cannot be cancelled any more.
    is_settled: bool,
}

impl RunningCall {
    fn cancel(&self) {
        if let Some(cancellation) = &self.cancellation {
            cancellation.cancel();
        }
    }
}

impl Table {
    fn has(&self, key: &Key) -> bool {
        self.running.contains_key(key) || self.tickets.contains_key(key) || self.streams.contains(key)
    }

    /// Removes a call, unless the id belongs to another call by now.
    fn remove(&mut self, key: &Key, number: u64) {
        if self.call(key, number).is_some() {
            self.running.remove(key);
        }
    }

    /// Returns a call, or `None` if it was cancelled: then the id is free, and may belong to another call by now.
    fn call(&mut self, key: &Key, number: u64) -> Option<&mut RunningCall> {
        self.running.get_mut(key).filter(|call| call.number == number)
    }
}

#[derive(Debug)]
struct Waiting {
    /// `None` for a batch, which has no id.
    key: Option<Key>,
    ticket: u64,
    message: Box<str>,
}

/// A permit of a call: its place, which it keeps until its response is on its way, and its id.
#[derive(Debug)]
pub(crate) struct Place {
    calls: Arc<InFlight>,
    /// The call's id and number. `None` for a batch, for a response that is certain, and after the id was released.
    call: Option<(Key, u64)>,
    /// Whether the response is certain: the call has ended, and cannot be cancelled any more.
    is_owed: bool,
}

impl Place {
    /// Marks the response as certain.
    pub(crate) fn owe(&mut self) {
        if !std::mem::replace(&mut self.is_owed, true) {
            self.calls.owed.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Settles the call, which is then answered. Returns `false` if it was cancelled before.
    pub(crate) fn settle(&self) -> bool {
        let Some((key, number)) = &self.call else { return true };
        match self.calls.lock().call(key, *number) {
            Some(call) => {
                call.is_settled = true;
                true
            }
            None => false,
        }
    }

    /// Ends the call and gives its id to a subscription. Returns `false` if the call was cancelled before.
    pub(crate) fn open_stream(&mut self) -> bool {
        let Some((key, number)) = self.call.take() else { return false };
        let mut table = self.calls.lock();
        if table.call(&key, number).is_none() {
            return false;
        }
        table.running.remove(&key);
        table.streams.insert(key);
        self.calls.streams.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Releases the id, because the response goes out now and its reader may use the id again.
    pub(crate) fn release_id(&mut self) {
        if let Some((key, number)) = self.call.take() {
            self.calls.lock().remove(&key, number);
        }
    }

    /// Returns the signal that reports the call's cancellation.
    pub(crate) fn cancellation(&self) -> Arc<Cancellation> {
        let Some((key, number)) = &self.call else { return Arc::default() };
        match self.calls.lock().call(key, *number) {
            Some(call) => Arc::clone(call.cancellation.get_or_insert_default()),
            None => {
                let cancellation = Cancellation::default();
                cancellation.cancel();
                Arc::new(cancellation)
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.calls.lock();
        table.places -= 1;
        if let Some((key, number)) = &self.call {
            table.remove(key, *number);
        }
        drop(table);
        self.calls.count.fetch_sub(1, Ordering::AcqRel);
        if self.is_owed {
            self.calls.owed.fetch_sub(1, Ordering::AcqRel);
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
    /// The request was kept, and [`InFlight::next_waiting`] returns it later.
    Wait,
    /// Another call with this id is not yet answered.
    DuplicateId,
    /// There is no place, and the request cannot be kept.
    Overload,
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of calls that are not yet answered.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Returns the number of requests that wait for others to end.
    #[cfg(feature = "metrics")]
    pub(crate) fn waiting(&self) -> usize {
        let table = self.lock();
        table.tickets.len() + table.waiting.iter().filter(|waiting| waiting.key.is_none()).count()
    }

    /// Returns true if a request with that id is not yet answered.
    #[cfg(feature = "http")]
    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.lock().has(key)
    }

    /// Returns true if a new call has to wait for others.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= MAX_PLACES && self.lock().places >= MAX_PLACES
    }

    /// Decides whether a call may start. The call takes no place yet, because most calls end before they need one.
    ///
    /// `is_member`: whether the call is part of a batch, which has a place as a whole. `may_wait`: whether the request
    /// can be kept until there is a place.
    pub(crate) fn admit(&self, key: impl FnOnce() -> Key, message: &str, is_member: bool, may_wait: bool) -> Admission {
        if self.len() == 0 && self.streams.load(Ordering::Relaxed) == 0 {
            return Admission::Start;
        }
        let key = key();
        let mut table = self.lock();
        if table.has(&key) {
            return Admission::DuplicateId;
        }
        if is_member { Admission::Start } else { self.admit_message(&mut table, Some(key), message, may_wait) }
    }

    /// Does the same for a batch.
    pub(crate) fn admit_batch(&self, message: &str, may_wait: bool) -> Admission {
        self.admit_message(&mut self.lock(), None, message, may_wait)
    }

    /// Takes a place for a request whose response cannot be ready at once, or for a batch, before it is served. The
    /// error [`Admission::Wait`] means that the request was kept, as by [`InFlight::admit`].
    pub(crate) fn reserve_or_wait(self: &Arc<Self>, key: Option<Key>, message: &str) -> Result<Place, Admission> {
        let mut table = self.lock();
        if key.as_ref().is_some_and(|key| table.has(key)) {
            return Err(Admission::DuplicateId);
        }
        match self.admit_message(&mut table, key.clone(), message, true) {
            Admission::Start => Ok(self.take_place(&mut table, key)),
            other => Err(other),
        }
    }

    fn admit_message(&self, table: &mut Table, key: Option<Key>, message: &str, may_wait: bool) -> Admission {
        if table.places < MAX_PLACES {
            return Admission::Start;
        }
        if !may_wait || table.waiting_bytes + message.len() > MAX_WAITING_BYTES {
            return Admission::Overload;
        }
        table.waiting_bytes += message.len();
        table.last_ticket += 1;
        let ticket = table.last_ticket;
        if let Some(key) = &key {
            table.tickets.insert(key.clone(), ticket);
        }
        table.waiting.push_back(Waiting { key, ticket, message: message.into() });
        self.count.fetch_add(1, Ordering::AcqRel);
        Admission::Wait
    }

    /// Takes a place for a call that could not be answered at once.
    pub(crate) fn insert(self: &Arc<Self>, key: Key) -> Place {
        self.take_place(&mut self.lock(), Some(key))
    }

    /// Takes the id and the place of a call before it is polled: where several threads serve one peer, another thread
    /// may look up the id at any time. `is_member`: whether the call is part of a batch, which is admitted as a whole.
    pub(crate) fn reserve(self: &Arc<Self>, key: Key, is_member: bool) -> Result<Place, Admission> {
        let mut table = self.lock();
        if table.has(&key) {
            return Err(Admission::DuplicateId);
        }
        if !is_member && table.places >= MAX_PLACES {
            return Err(Admission::Overload);
        }
        Ok(self.take_place(&mut table, Some(key)))
    }

    /// Returns the number of responses that are certain and not yet on their way.
    pub(crate) fn owed(&self) -> usize {
        self.owed.load(Ordering::Acquire)
    }

    /// Takes an additional place, for a response that is certain.
    pub(crate) fn guard(self: &Arc<Self>) -> Place {
        let mut place = self.take_place(&mut self.lock(), None);
        place.owe();
        place
    }

    fn take_place(self: &Arc<Self>, table: &mut Table, key: Option<Key>) -> Place {
        table.places += 1;
        self.count.fetch_add(1, Ordering::AcqRel);
        let call = key.map(|key| {
            table.last_call += 1;
            let number = table.last_call;
            table.running.insert(key.clone(), RunningCall { number, cancellation: None, is_settled: false });
            (key, number)
        });
        Place { calls: Arc::clone(self), call, is_owed: false }
    }

    /// Returns the next waiting request with its place, if a place is free.
    pub(crate) fn next_waiting(self: &Arc<Self>) -> Option<(Box<str>, Place)> {
        if self.len() == 0 {
            return None;
        }
        let mut table = self.lock();
        if table.places >= MAX_PLACES {
            return None;
        }
        loop {
            let Waiting { key, ticket, message } = table.waiting.pop_front()?;
            table.waiting_bytes -= message.len();
            if key.as_ref().is_some_and(|key| table.tickets.get(key) != Some(&ticket)) {
                // The request was cancelled.
                continue;
            }
            if let Some(key) = &key {
                table.tickets.remove(key);
            }
            let place = self.take_place(&mut table, key);
            self.count.fetch_sub(1, Ordering::AcqRel);
            return Some((message, place));
        }
    }

    /// Takes the id for a subscription; returns `false` if another request has it.
    pub(crate) fn open_stream(&self, key: Key) -> bool {
        let mut table = self.lock();
        let is_free = !table.has(&key);
        if is_free {
            table.streams.insert(key);
            self.streams.fetch_add(1, Ordering::Relaxed);
        }
        is_free
    }

    /// Returns true if a subscription has the id.
    pub(crate) fn has_stream(&self, key: &Key) -> bool {
        self.lock().streams.contains(key)
    }

    /// Releases the id of a subscription.
    pub(crate) fn close_stream(&self, key: &Key) {
        if self.lock().streams.remove(key) {
            self.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn cancel(&self, key: &Key) {
        let mut table = self.lock();
        if let Some(call) = table.running.get(key) {
            if !call.is_settled {
                call.cancel();
                table.running.remove(key);
            }
        } else if table.tickets.remove(key).is_some() {
            self.count.fetch_sub(1, Ordering::AcqRel);
        } else if table.streams.remove(key) {
            self.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn cancel_all(&self) {
        let mut table = self.lock();
        let batches = table.waiting.iter().filter(|waiting| waiting.key.is_none()).count();
        self.count.fetch_sub(table.tickets.len() + batches, Ordering::AcqRel);
        table.waiting.clear();
        table.waiting_bytes = 0;
        table.tickets.clear();
        table.running.retain(|_, call| {
            if !call.is_settled {
                call.cancel();
            }
            call.is_settled
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: i64) -> Key {
        Key::Integer(number)
    }

    fn admit(calls: &InFlight, id: i64, message: &str) -> Admission {
        calls.admit(|| key(id), message, false, true)
    }

    #[test]
    fn an_id_in_flight_is_refused_until_its_response_or_cancellation() {
        let calls = Arc::new(InFlight::default());
        assert_eq!(admit(&calls, 1, ""), Admission::Start);
        let mut call = calls.insert(key(1));
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId);
        assert!(call.settle());
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId, "its answer is not yet on its way");
        calls.cancel(&key(1));
        calls.cancel_all();
        assert!(!call.cancellation().is_cancelled(), "it is too late for that");
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId);
        call.release_id();
        assert_eq!((admit(&calls, 1, ""), calls.len()), (Admission::Start, 1));
        drop(call);

        let call = calls.insert(key(1));
        calls.cancel(&key(1));
        assert!(call.cancellation().is_cancelled());
        let other = calls.insert(key(1));
        assert!(!call.settle(), "the id is another call's by now");
        drop(call);
        assert!(other.settle());
        drop(other);
        assert_eq!(calls.len(), 0);
    }

    #[test]
    fn a_subscription_takes_the_id_of_its_call_unless_that_was_cancelled() {
        let calls = Arc::new(InFlight::default());
        let mut call = calls.reserve(key(1), false).unwrap();
        assert!(call.open_stream() && calls.has_stream(&key(1)));
        drop(call);
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId, "the subscription has it");
        calls.cancel(&key(1));
        assert!(!calls.has_stream(&key(1)));
        let mut call = calls.reserve(key(1), false).unwrap();
        calls.cancel(&key(1));
        assert!(!call.open_stream() && !calls.has_stream(&key(1)));
    }

    #[test]
    fn an_id_is_reserved_once_under_contention() {
        let calls = Arc::new(InFlight::default());
        let reserved = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| calls.reserve(key(1), false))).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap().ok()).collect::<Vec<_>>()
        });
        assert_eq!(reserved.len(), 1);
        assert_eq!(calls.reserve(key(1), true).unwrap_err(), Admission::DuplicateId);
        drop(reserved);
        let _running: Vec<_> = (0..256).map(|id| calls.reserve(key(id), false).unwrap()).collect();
        assert_eq!(calls.reserve(key(1000), false).unwrap_err(), Admission::Overload);
        assert!(calls.reserve(key(1000), true).is_ok(), "its batch was admitted");
    }

    #[test]
    fn calls_beyond_the_limit_wait_in_order() {
        let calls = Arc::new(InFlight::default());
        let mut running: Vec<_> = (0..256).map(|id| calls.insert(key(id))).collect();
        assert_eq!(admit(&calls, 1000, "first"), Admission::Wait);
        assert_eq!(admit(&calls, 1001, "second"), Admission::Wait);
        assert_eq!(admit(&calls, 1001, "second"), Admission::DuplicateId);
        assert_eq!(calls.admit_batch("[]", true), Admission::Wait);
        assert_eq!(admit(&calls, 1002, &"x".repeat(MAX_WAITING_BYTES)), Admission::Overload);
        assert!(calls.next_waiting().is_none());
        calls.cancel(&key(1000));
        assert_eq!(admit(&calls, 1000, "third"), Admission::Wait, "a cancelled id may be used again");
        let next = |calls: &Arc<InFlight>| calls.next_waiting().map(|(message, place)| (message.into_string(), place));

        drop(running.pop());
        let (message, second) = next(&calls).unwrap();
        assert_eq!(message, "second");
        assert_eq!(admit(&calls, 1001, ""), Admission::DuplicateId, "its id is known while it is served");
        assert!(next(&calls).is_none(), "it keeps its place");
        assert!(second.settle());
        drop(second);
        let (message, batch) = next(&calls).unwrap();
        assert_eq!(message, "[]");
        assert!(batch.settle());
        drop(batch);
        let (message, third) = next(&calls).unwrap();
        assert_eq!(message, "third");
        calls.cancel(&key(1000));
        assert!(!third.settle(), "it was cancelled while it was served");
        drop(third);
        assert!(next(&calls).is_none());
        calls.cancel_all();
        assert!(running[1].cancellation().is_cancelled());
        drop(running);
        assert_eq!(calls.len(), 0);
    }
}
