//! The calls that have begun and are not yet answered.
//!
//! Whoever takes an id out of the table decides what becomes of the call: the call itself, which is then
//! answered, or a cancellation, after which it is not. So there is exactly one answer, or none.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::protocol::id::Key;

/// The most calls that have a place at a time; more of them wait.
const MAX_PLACES: usize = 256;
/// The most bytes of requests that wait; more of them are refused.
const MAX_WAITING_BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(crate) struct InFlight {
    table: Mutex<Table>,
    /// Calls with a place and calls that wait, so that a reader with nothing in flight need not lock.
    count: AtomicUsize,
    /// Answers that are certain and not yet on their way.
    owed: AtomicUsize,
    /// Subscriptions that are open.
    streams: AtomicUsize,
}

#[derive(Debug, Default)]
struct Table {
    running: HashMap<Key, Arc<Cancellation>>,
    /// How many calls have a place: those that run, and those whose answer is not yet on its way.
    places: usize,
    /// Requests in their order; one that was cancelled stays here until it is its turn.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// The requests that still wait, each with its ticket: an id may be used again after a cancellation.
    tickets: HashMap<Key, u64>,
    last_ticket: u64,
    /// The ids of open subscriptions, which have no place: nothing waits for them.
    streams: HashSet<Key>,
}

impl Table {
    fn has(&self, key: &Key) -> bool {
        self.running.contains_key(key) || self.tickets.contains_key(key) || self.streams.contains(key)
    }

    fn run(&mut self, key: Key) -> (Key, Arc<Cancellation>) {
        let cancellation = Arc::new(Cancellation::default());
        self.running.insert(key.clone(), Arc::clone(&cancellation));
        (key, cancellation)
    }
}

#[derive(Debug)]
struct Waiting {
    /// `None` for a batch, which is nobody's answer.
    key: Option<Key>,
    ticket: u64,
    message: Box<str>,
}

/// A call's place, which it keeps until its answer is on its way.
#[derive(Debug)]
pub(crate) struct Place {
    calls: Arc<InFlight>,
    /// Whether the answer is certain: the call has ended, and cannot be cancelled any more.
    is_owed: bool,
}

impl Place {
    /// The answer is certain now.
    pub(crate) fn owe(&mut self) {
        if !std::mem::replace(&mut self.is_owed, true) {
            self.calls.owed.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.calls.lock().places -= 1;
        self.calls.count.fetch_sub(1, Ordering::AcqRel);
        if self.is_owed {
            self.calls.owed.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// A place that is taken for a request before it is served, so that its id is known meanwhile.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) place: Place,
    /// The call's id, unless this is for a batch.
    call: Option<(Key, Arc<Cancellation>)>,
}

impl Reservation {
    /// Gives the id back; `false` if the call was cancelled meanwhile.
    pub(crate) fn finish(mut self) -> bool {
        self.call.take().is_none_or(|(key, cancellation)| self.place.calls.remove(&key, &cancellation))
    }

    /// Lets the call run on.
    pub(crate) fn into_running(mut self) -> Option<Running> {
        let (key, cancellation) = self.call.take()?;
        // The place that this one drops is counted again here.
        let place = self.place.calls.take_place(&mut self.place.calls.lock());
        Some(Running { place, key, cancellation })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some((key, cancellation)) = self.call.take() {
            self.place.calls.remove(&key, &cancellation);
        }
    }
}

/// A call in the table.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) place: Place,
    pub(crate) key: Key,
    pub(crate) cancellation: Arc<Cancellation>,
}

/// Tells a call that it is no longer wanted.
#[derive(Debug, Default)]
pub(crate) struct Cancellation {
    cancelled: AtomicBool,
    notify: Notify,
}

impl Cancellation {
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        // There is one waiter, and a permit is kept for it if it does not wait yet.
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

/// What is to be done with a new call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Start,
    /// The request was kept, and comes back from [`InFlight::next_waiting`].
    Wait,
    /// Another call with this id is not yet answered.
    DuplicateId,
    /// Too much waits already.
    Overload,
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls are not yet answered.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// How many requests wait until others have ended.
    #[cfg(feature = "metrics")]
    pub(crate) fn waiting(&self) -> usize {
        let table = self.lock();
        table.tickets.len() + table.waiting.iter().filter(|waiting| waiting.key.is_none()).count()
    }

    /// Whether a call that comes now has to wait for others.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= MAX_PLACES && self.lock().places >= MAX_PLACES
    }

    /// Whether a call may start. It takes no place yet: most calls end before they need one.
    ///
    /// `is_member`: whether it is part of a batch, which has its place as a whole. `may_wait`: whether it can be
    /// kept until there is a place.
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

    /// The same for a batch.
    pub(crate) fn admit_batch(&self, message: &str, may_wait: bool) -> Admission {
        self.admit_message(&mut self.lock(), None, message, may_wait)
    }

    /// Takes a place for a request whose answer cannot be ready at once, or for a batch, before it is served. An error
    /// of [`Admission::Wait`] means that it was kept, as by [`InFlight::admit`].
    pub(crate) fn reserve(self: &Arc<Self>, key: Option<Key>, message: &str) -> Result<Reservation, Admission> {
        let mut table = self.lock();
        if key.as_ref().is_some_and(|key| table.has(key)) {
            return Err(Admission::DuplicateId);
        }
        match self.admit_message(&mut table, key.clone(), message, true) {
            Admission::Start => {
                let call = key.map(|key| table.run(key));
                Ok(Reservation { place: self.take_place(&mut table), call })
            }
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

    /// A call that could not be answered at once takes its place.
    pub(crate) fn insert(self: &Arc<Self>, key: Key) -> Running {
        let mut table = self.lock();
        let (key, cancellation) = table.run(key);
        Running { place: self.take_place(&mut table), key, cancellation }
    }

    /// How many answers are certain and not yet on their way.
    pub(crate) fn owed(&self) -> usize {
        self.owed.load(Ordering::Acquire)
    }

    /// A place beside the others, for an answer that is certain.
    pub(crate) fn guard(self: &Arc<Self>) -> Place {
        let mut place = self.take_place(&mut self.lock());
        place.owe();
        place
    }

    fn take_place(self: &Arc<Self>, table: &mut Table) -> Place {
        table.places += 1;
        self.count.fetch_add(1, Ordering::AcqRel);
        Place { calls: Arc::clone(self), is_owed: false }
    }

    /// Takes a call's id out of the table; `false` if it was cancelled before.
    pub(crate) fn remove(&self, key: &Key, call: &Arc<Cancellation>) -> bool {
        let mut table = self.lock();
        // After a cancellation the id is free, and may be another call's by now.
        let mine = table.running.get(key).is_some_and(|other| Arc::ptr_eq(other, call));
        if mine {
            table.running.remove(key);
        }
        mine
    }

    /// The next request that waited, if there is a place for it.
    pub(crate) fn next_waiting(self: &Arc<Self>) -> Option<(Box<str>, Reservation)> {
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
            let call = match key {
                None => None,
                Some(key) if table.tickets.get(&key) == Some(&ticket) => {
                    table.tickets.remove(&key);
                    Some(table.run(key))
                }
                // It was cancelled.
                Some(_) => continue,
            };
            let place = self.take_place(&mut table);
            self.count.fetch_sub(1, Ordering::AcqRel);
            return Some((message, Reservation { place, call }));
        }
    }

    /// Takes the id of a subscription; `false` if another request has it.
    pub(crate) fn open_stream(&self, key: Key) -> bool {
        let mut table = self.lock();
        let is_free = !table.has(&key);
        if is_free {
            table.streams.insert(key);
            self.streams.fetch_add(1, Ordering::Relaxed);
        }
        is_free
    }

    /// Gives the id of a subscription back.
    pub(crate) fn close_stream(&self, key: &Key) {
        if self.lock().streams.remove(key) {
            self.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn cancel(&self, key: &Key) {
        let mut table = self.lock();
        if let Some(call) = table.running.remove(key) {
            call.cancel();
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
        for (_, call) in table.running.drain() {
            call.cancel();
        }
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
    fn an_id_in_flight_is_refused_until_it_is_answered_or_cancelled() {
        let calls = Arc::new(InFlight::default());
        assert_eq!(admit(&calls, 1, ""), Admission::Start);
        let call = calls.insert(key(1));
        assert_eq!(admit(&calls, 1, ""), Admission::DuplicateId);
        assert!(calls.remove(&key(1), &call.cancellation));
        assert!(!calls.remove(&key(1), &call.cancellation));
        assert_eq!(calls.len(), 1, "its answer is not yet on its way");
        drop(call);

        let call = calls.insert(key(1));
        calls.cancel(&key(1));
        assert!(call.cancellation.is_cancelled());
        let other = calls.insert(key(1));
        assert!(!calls.remove(&key(1), &call.cancellation), "the id is another call's by now");
        assert!(calls.remove(&key(1), &other.cancellation));
        drop((call, other));
        assert_eq!(calls.len(), 0);
    }

    #[test]
    fn too_many_calls_wait_in_order() {
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
        let next = |calls: &Arc<InFlight>| {
            calls.next_waiting().map(|(message, reservation)| (message.into_string(), reservation))
        };

        drop(running.pop());
        let (message, second) = next(&calls).unwrap();
        assert_eq!(message, "second");
        assert_eq!(admit(&calls, 1001, ""), Admission::DuplicateId, "its id is known while it is served");
        assert!(next(&calls).is_none());
        let second = second.into_running().unwrap();
        assert!(next(&calls).is_none(), "it kept its place");
        assert!(calls.remove(&second.key, &second.cancellation));
        drop(second);
        let (message, batch) = next(&calls).unwrap();
        assert_eq!(message, "[]");
        assert!(batch.finish());
        let (message, third) = next(&calls).unwrap();
        assert_eq!(message, "third");
        calls.cancel(&key(1000));
        assert!(!third.finish(), "it was cancelled while it was served");
        assert!(next(&calls).is_none());
        calls.cancel_all();
        assert!(running[1].cancellation.is_cancelled());
        drop(running);
        assert_eq!(calls.len(), 0);
    }
}
