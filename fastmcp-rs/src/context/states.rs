//! The states of an app: their owner, their look-up by handlers, and their end.
//!
//! Handlers refer to states weakly, and one owner holds them. So all of them can be dropped at the end, in a known order,
//! while a thread that waits for input, a connection or a handler that never ends still refers to the server.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use std::{mem, thread};

use foldhash::fast::FixedState;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::exec::paused_clock;
use crate::util::catch_panic;
use crate::util::operator_log::{self, FINAL_FLUSH_TIMEOUT};
use crate::util::sync::Mutex;

/// The values that an app was given, by type. The program alone adds keys, so the hash needs no random seed.
pub(crate) type States = HashMap<TypeId, Weak<dyn Any + Send + Sync>, FixedState>;

pub(crate) type AnyState = Arc<dyn Any + Send + Sync>;

/// The limit of the time that all states of a server take to be dropped at its end.
pub(crate) const STATE_DROP_TIMEOUT: Duration = Duration::from_secs(5);
/// The time that is given to calls and tasks that end just now, and hold states.
const LAST_USE: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(1);

/// Returns the state of a type, as long as its owner has it.
pub(crate) fn find<T: Send + Sync + 'static>(states: &States) -> Option<Arc<T>> {
    states.get(&TypeId::of::<T>())?.upgrade()?.downcast().ok()
}

/// A state and the name of its type.
pub(crate) struct OwnedState {
    pub(crate) id: TypeId,
    name: &'static str,
    value: AnyState,
    /// Whether it makes a difference if it is dropped.
    needs_drop: bool,
}

impl OwnedState {
    pub(crate) fn new<T: Send + Sync + 'static>(value: T) -> OwnedState {
        let (id, name, needs_drop) = (TypeId::of::<T>(), type_name::<T>(), mem::needs_drop::<T>());
        OwnedState { id, name, value: Arc::new(value), needs_drop }
    }
}

/// The owner of all states of an app and of those that are mounted in it.
///
/// States are dropped in the reverse order of their making, each with its panics caught.
#[derive(Default)]
pub(crate) struct StateOwner {
    /// In the order in which they were made.
    states: Mutex<Vec<OwnedState>>,
    /// The type of the state whose destructor runs.
    dropping: Mutex<Option<&'static str>>,
    is_releasing: AtomicBool,
    release_start: OnceLock<Instant>,
    is_released: AtomicBool,
    released: Notify,
}

impl StateOwner {
    /// Takes a state over, and lets handlers find it. Returns whether there was one of its type, which is kept, too.
    pub(crate) fn add(&self, states: &mut States, state: OwnedState) -> bool {
        let replaced = states.insert(state.id, Arc::downgrade(&state.value)).is_some();
        self.states.lock().push(state);
        replaced
    }

    /// Takes the states of another owner over.
    pub(crate) fn adopt(&self, other: &StateOwner) {
        let states = mem::take(&mut *other.states.lock());
        self.states.lock().extend(states);
    }

    /// Whether the states are being dropped, or were.
    #[cfg(feature = "stdio")]
    pub(crate) fn is_releasing(&self) -> bool {
        self.is_releasing.load(Ordering::Acquire)
    }

    pub(crate) fn is_released(&self) -> bool {
        self.is_released.load(Ordering::Acquire)
    }

    /// Does some work and drops the states, on a thread of its own. Returns `false` if that was begun before.
    ///
    /// The thread has the runtime that this is called in, so that a destructor may spawn tasks, but does not count as a
    /// part of it: a destructor may block, or drop a runtime.
    pub(crate) fn begin_release(self: &Arc<Self>, first: impl FnOnce() + Send + 'static) -> bool {
        if self.is_releasing.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.release_start.get_or_init(Instant::now);
        let (owner, runtime) = (Arc::clone(self), Handle::try_current().ok());
        let work = move || {
            let _entered = runtime.as_ref().map(Handle::enter);
            if let Err(panicked) = catch_panic::run_catching(first) {
                operator_log::error(format_args!("a component panicked when it was dropped: {}", panicked.0));
                operator_log::flush(FINAL_FLUSH_TIMEOUT);
            }
            owner.drop_unused();
            owner.end_release();
        };
        if thread::Builder::new().name("mcp-states".into()).spawn(work).is_err() {
            self.drop_unused();
            self.end_release();
        }
        true
    }

    fn end_release(&self) {
        self.is_released.store(true, Ordering::Release);
        self.released.notify_waiters();
    }

    /// Drops the states as [`StateOwner::begin_release`] does, and waits for that, within [`STATE_DROP_TIMEOUT`].
    pub(crate) async fn release(self: &Arc<Self>, first: impl FnOnce() + Send + 'static) {
        self.begin_release(first);
        let released = async {
            loop {
                let told = self.released.notified();
                if self.is_released() {
                    return;
                }
                told.await;
            }
        };
        if paused_clock::may_be_paused() {
            // The time of destructors is not that of a paused clock.
            return released.await;
        }
        if tokio::time::timeout(STATE_DROP_TIMEOUT, released).await.is_err() {
            self.warn_about_destructor();
        }
    }

    /// Drops the states as [`StateOwner::begin_release`] does, and holds up this thread until that is done, within
    /// [`STATE_DROP_TIMEOUT`].
    #[cfg(feature = "stdio")]
    pub(crate) fn release_blocking(self: &Arc<Self>) {
        self.begin_release(|| ());
        let deadline = *self.release_start.get_or_init(Instant::now) + STATE_DROP_TIMEOUT;
        // If the server has waited for as long, it has logged the destructor, too.
        if self.is_released() || Instant::now() >= deadline {
            return;
        }
        while !self.is_released() {
            if Instant::now() >= deadline {
                return self.warn_about_destructor();
            }
            thread::sleep(PAUSE);
        }
    }

    fn warn_about_destructor(&self) {
        let dropping = *self.dropping.lock();
        operator_log::warn(format_args!(
            "the states of the server were not dropped within {STATE_DROP_TIMEOUT:?}: the destructor of `{}` is still \
             running",
            dropping.unwrap_or("a component")
        ));
        operator_log::flush(FINAL_FLUSH_TIMEOUT);
    }

    /// Drops all states; calls that end just now may use them until then.
    fn drop_unused(&self) {
        let deadline = Instant::now() + LAST_USE;
        let mut in_use = Vec::new();
        while let Some(state) = self.next() {
            let is_in_use = || state.needs_drop && Arc::strong_count(&state.value) > 1;
            while is_in_use() && Instant::now() < deadline {
                thread::sleep(PAUSE);
            }
            if is_in_use() {
                in_use.push(format!("`{}`", state.name));
            }
            self.drop_state(state);
        }
        if !in_use.is_empty() {
            operator_log::warn(format_args!(
                "states of the server were not dropped at its end, because tasks or threads still use them: {}",
                in_use.join(", ")
            ));
            operator_log::flush(FINAL_FLUSH_TIMEOUT);
        }
    }

    /// Drops all states at once, on this thread.
    pub(crate) fn drop_now(&self) {
        while let Some(state) = self.next() {
            self.drop_state(state);
        }
    }

    fn next(&self) -> Option<OwnedState> {
        self.states.lock().pop()
    }

    fn drop_state(&self, state: OwnedState) {
        let OwnedState { name, value, .. } = state;
        *self.dropping.lock() = Some(name);
        if let Err(panicked) = catch_panic::run_catching(|| drop(value)) {
            operator_log::error(format_args!("the state `{name}` panicked when it was dropped: {}", panicked.0));
            // The process may end before it is written otherwise.
            operator_log::flush(FINAL_FLUSH_TIMEOUT);
        }
        *self.dropping.lock() = None;
    }
}

impl Drop for StateOwner {
    fn drop(&mut self) {
        self.drop_now();
    }
}
