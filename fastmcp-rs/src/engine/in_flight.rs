//! The calls that have begun and are not yet answered.
//!
//! Whoever takes an id out of the table decides what becomes of the call: the call itself, which is then
//! answered, or a cancellation, after which it is not. So there is exactly one answer, or none.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::protocol::id::Key;

/// The most calls that run at a time; more of them wait.
const MAX_RUNNING: usize = 256;
/// How many bytes of requests may wait before the reader is asked to pause.
const ENOUGH_WAITING_BYTES: usize = 8 << 20;
/// The most bytes of requests that wait; more of them are refused.
const MAX_WAITING_BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(crate) struct InFlight {
    table: Mutex<Table>,
    /// How many ids are taken, so that a reader with nothing in flight need not lock.
    count: AtomicUsize,
    /// Told when fewer requests wait.
    fewer: Condvar,
}

#[derive(Debug, Default)]
struct Table {
    running: HashMap<Key, Arc<Cancellation>>,
    /// Requests in their order; one that was cancelled stays here until it is its turn.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// The requests that still wait, each with its ticket: an id may be used again after a cancellation.
    tickets: HashMap<Key, u64>,
    last_ticket: u64,
}

#[derive(Debug)]
struct Waiting {
    key: Key,
    ticket: u64,
    message: Box<str>,
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

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether a call may start. It takes no place yet: most calls end before they need one.
    pub(crate) fn admit(&self, key: impl FnOnce() -> Key, message: &str) -> Admission {
        if self.len() == 0 {
            return Admission::Start;
        }
        let key = key();
        let mut table = self.lock();
        if table.running.contains_key(&key) || table.tickets.contains_key(&key) {
            return Admission::DuplicateId;
        }
        if table.running.len() < MAX_RUNNING {
            return Admission::Start;
        }
        if table.waiting_bytes + message.len() > MAX_WAITING_BYTES {
            return Admission::Overload;
        }
        table.waiting_bytes += message.len();
        table.last_ticket += 1;
        let ticket = table.last_ticket;
        table.tickets.insert(key.clone(), ticket);
        table.waiting.push_back(Waiting { key, ticket, message: message.into() });
        self.count.fetch_add(1, Ordering::AcqRel);
        Admission::Wait
    }

    /// A call that could not be answered at once takes its place.
    pub(crate) fn insert(&self, key: Key) -> Arc<Cancellation> {
        let cancellation = Arc::new(Cancellation::default());
        if self.lock().running.insert(key, Arc::clone(&cancellation)).is_none() {
            self.count.fetch_add(1, Ordering::AcqRel);
        }
        cancellation
    }

    /// Takes a call out of the table; `false` if it was cancelled before.
    pub(crate) fn remove(&self, key: &Key, call: &Arc<Cancellation>) -> bool {
        let mut table = self.lock();
        // After a cancellation the id is free, and may be another call's by now.
        let mine = table.running.get(key).is_some_and(|other| Arc::ptr_eq(other, call));
        if mine {
            table.running.remove(key);
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
        mine
    }

    /// The next request that waited, if there is room for it.
    pub(crate) fn next_waiting(&self) -> Option<Box<str>> {
        if self.len() == 0 {
            return None;
        }
        let mut table = self.lock();
        if table.running.len() >= MAX_RUNNING {
            return None;
        }
        loop {
            let Waiting { key, ticket, message } = table.waiting.pop_front()?;
            table.waiting_bytes -= message.len();
            if table.waiting_bytes <= ENOUGH_WAITING_BYTES {
                self.fewer.notify_all();
            }
            if table.tickets.get(&key) == Some(&ticket) {
                table.tickets.remove(&key);
                self.count.fetch_sub(1, Ordering::AcqRel);
                return Some(message);
            }
        }
    }

    /// Blocks while so many requests wait that it is better to leave the next ones in the pipe.
    pub(crate) fn wait_until_fewer_wait(&self) {
        if self.len() < MAX_RUNNING {
            return;
        }
        let mut table = self.lock();
        while table.waiting_bytes > ENOUGH_WAITING_BYTES {
            table = self.fewer.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn cancel(&self, key: &Key) {
        let mut table = self.lock();
        if let Some(call) = table.running.remove(key) {
            self.count.fetch_sub(1, Ordering::AcqRel);
            call.cancel();
        } else if table.tickets.remove(key).is_some() {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
    }

    pub(crate) fn cancel_all(&self) {
        let mut table = self.lock();
        table.waiting.clear();
        table.waiting_bytes = 0;
        table.tickets.clear();
        self.fewer.notify_all();
        for (_, call) in table.running.drain() {
            call.cancel();
        }
        self.count.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: i64) -> Key {
        Key::Integer(number)
    }

    #[test]
    fn an_id_in_flight_is_refused_until_it_is_answered_or_cancelled() {
        let calls = InFlight::default();
        assert_eq!(calls.admit(|| key(1), ""), Admission::Start);
        let call = calls.insert(key(1));
        assert_eq!(calls.admit(|| key(1), ""), Admission::DuplicateId);
        assert!(calls.remove(&key(1), &call));
        assert!(!calls.remove(&key(1), &call));

        let call = calls.insert(key(1));
        calls.cancel(&key(1));
        assert!(call.is_cancelled());
        let other = calls.insert(key(1));
        assert!(!calls.remove(&key(1), &call), "the id is another call's by now");
        assert!(calls.remove(&key(1), &other));
        assert_eq!(calls.len(), 0);
    }

    #[test]
    fn too_many_calls_wait_in_order() {
        let calls = InFlight::default();
        let running: Vec<_> = (0..256).map(|id| calls.insert(key(id))).collect();
        assert_eq!(calls.admit(|| key(1000), "first"), Admission::Wait);
        assert_eq!(calls.admit(|| key(1001), "second"), Admission::Wait);
        assert_eq!(calls.admit(|| key(1001), "second"), Admission::DuplicateId);
        assert_eq!(calls.admit(|| key(1002), &"x".repeat(MAX_WAITING_BYTES)), Admission::Overload);
        assert_eq!(calls.next_waiting(), None);
        calls.cancel(&key(1000));
        assert_eq!(calls.admit(|| key(1000), "third"), Admission::Wait, "a cancelled id may be used again");
        assert!(calls.remove(&key(0), &running[0]));
        assert_eq!(calls.next_waiting().as_deref(), Some("second"));
        assert_eq!(calls.next_waiting().as_deref(), Some("third"));
        assert_eq!(calls.next_waiting(), None);
        calls.cancel_all();
        assert_eq!(calls.len(), 0);
        assert!(running[1].is_cancelled());
    }
}
