//! Catches panics of handlers, and records their text for the log. The response of the call does not contain it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::Pin;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use crate::util::operator_log;

thread_local! {
    /// True while this thread runs code whose panics are caught.
    static RECORDING: Cell<bool> = const { Cell::new(false) };
    /// The text of the last panic in such code, with its place.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The text of a caught panic, for the log only.
#[derive(Debug)]
pub(crate) struct CaughtPanic(pub(crate) String);

impl CaughtPanic {
    /// Returns true if code blocked its thread in a way that tokio forbids on a thread of a runtime.
    pub(crate) fn is_by_blocking(&self) -> bool {
        const BEGINNINGS: [&str; 4] = [
            // `Runtime::block_on`, `Handle::block_on`.
            "Cannot start a runtime from within a runtime",
            // `blocking_recv`, `blocking_send`, `blocking_lock`.
            "Cannot block the current thread from within a runtime",
            // A runtime that is dropped, such as that of a blocking client.
            "Cannot drop a runtime in a context where blocking is not allowed",
            // `block_in_place` on a runtime of one thread.
            "can call blocking only when running on the multi-threaded runtime",
        ];
        BEGINNINGS.iter().any(|beginning| self.0.contains(beginning))
    }
}

/// Installs a hook that records the panics of handlers instead of printing them. The standard hook writes to standard
/// error, and would block the call for ever if nothing reads standard error; the recorded text goes through the log.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if RECORDING.get() {
                LAST_PANIC.set(Some(describe(info)));
            } else {
                previous(info);
            }
        }));
    });
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("a value that is not text");
    match info.location() {
        Some(location) => format!("{message}, at {}:{}", location.file(), location.line()),
        None => message.to_owned(),
    }
}

/// Runs code of a handler. The caller catches its panics inside of `work`.
pub(crate) fn run_recording<T>(work: impl FnOnce() -> T) -> T {
    // Calls nest: a handler can poll the future of another handler.
    let before = RECORDING.replace(true);
    let result = work();
    RECORDING.set(before);
    result
}

/// Runs user code, and catches its panic.
pub(crate) fn run_catching<T>(work: impl FnOnce() -> T) -> Result<T, CaughtPanic> {
    run_recording(|| catch_unwind(AssertUnwindSafe(work))).map_err(record_panic)
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs a user's future to its end. Panics are caught while the future is created, polled and dropped.
pub(crate) async fn run_catching_async<'a, T>(make: impl FnOnce() -> BoxFuture<'a, T>) -> Result<T, CaughtPanic> {
    let mut work = CatchOnDrop(Some(run_catching(make)?));
    poll_fn(|task| match work.0.as_mut().map(|work| run_catching(|| work.as_mut().poll(task))) {
        Some(Ok(polled)) => polled.map(Ok),
        Some(Err(panicked)) => Poll::Ready(Err(panicked)),
        // Only the destructor takes the future.
        None => Poll::Pending,
    })
    .await
}

/// A future whose destructor may panic.
struct CatchOnDrop<'a, T>(Option<BoxFuture<'a, T>>);

impl<T> Drop for CatchOnDrop<'_, T> {
    fn drop(&mut self) {
        let work = self.0.take();
        if let Err(panicked) = run_catching(|| drop(work)) {
            operator_log::error(format_args!("a future panicked when it was dropped: {}", panicked.0));
        }
    }
}

/// The number of panics caught in this process.
static CAUGHT: AtomicU64 = AtomicU64::new(0);

/// Returns the number of panics caught in this process.
#[cfg(feature = "metrics")]
pub(crate) fn caught_count() -> u64 {
    CAUGHT.load(Ordering::Relaxed)
}

/// Counts a caught panic, and returns its text for the log.
fn record_panic(payload: Box<dyn Any + Send>) -> CaughtPanic {
    let payload = match payload.downcast::<CaughtPanic>() {
        Ok(panicked) => return *panicked,
        Err(payload) => payload,
    };
    CAUGHT.fetch_add(1, Ordering::Relaxed);
    let described = LAST_PANIC.take().unwrap_or_else(|| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        text.unwrap_or_else(|| "a value that is not text".into())
    });
    // The payload is a user's value too. If its destructor panics, the payload of that panic is leaked, not dropped.
    if let Err(payload) = run_recording(|| catch_unwind(AssertUnwindSafe(|| drop(payload)))) {
        LAST_PANIC.take();
        std::mem::forget(payload);
    }
    CaughtPanic(described)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_whose_destructor_panics_does_not_escape() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic::panic_any(Bomb);
            }
        }
        let caught = run_catching(|| panic::panic_any(Bomb));
        assert!(caught.is_err_and(|panicked| panicked.0.contains("a value that is not text")));
    }
}
