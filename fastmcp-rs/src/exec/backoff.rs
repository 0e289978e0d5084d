//! Yields the core a few times before a thread without work goes to sleep.
//!
//! Work arrives in batches. A thread that sleeps between two items of a batch must be woken for each of them, which
//! takes several times as long as a quick item. But a thread that gets the core by the yield may compute and keep it
//! for milliseconds, whereas a sleeping thread would be woken at once. So after a long yield, the thread sleeps without
//! yielding first for a while.

use std::thread;
use std::time::{Duration, Instant};

/// The number of yields before a thread sleeps.
const MAX_YIELDS: u32 = 16;
/// A yield of at least this time is long: threads that produce work for others hold a core for less, threads that
/// compute for more.
const LONG_YIELD: Duration = Duration::from_millis(1);
/// The time after a long yield in which the thread sleeps without yielding first.
const PARK_ONLY_TIME: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Backoff {
    yields: u32,
    paused_until: Option<Instant>,
}

impl Backoff {
    /// Returns true if the thread should yield rather than sleep.
    pub(crate) fn should_yield(&self) -> bool {
        self.yields < MAX_YIELDS && self.paused_until.is_none_or(|until| Instant::now() >= until)
    }

    /// Yields the core, and returns the elapsed time for [`Backoff::record_yield`].
    pub(crate) fn yield_thread() -> Duration {
        let start = Instant::now();
        thread::yield_now();
        start.elapsed()
    }

    /// Records a yield and its duration.
    pub(crate) fn record_yield(&mut self, took: Duration) {
        self.yields += 1;
        if took >= LONG_YIELD {
            self.paused_until = Some(Instant::now() + PARK_ONLY_TIME);
        }
    }

    /// Resets the number of yields, after work arrived or the thread slept.
    pub(crate) fn reset(&mut self) {
        self.yields = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_polls_again_before_it_parks() {
        let mut backoff = Backoff::default();
        for _ in 0..MAX_YIELDS {
            assert!(backoff.should_yield());
            backoff.record_yield(Duration::from_micros(300));
        }
        assert!(!backoff.should_yield());
        backoff.reset();
        assert!(backoff.should_yield());
    }

    #[test]
    fn a_thread_parks_at_once_after_a_long_wait() {
        let mut backoff = Backoff::default();
        backoff.record_yield(LONG_YIELD);
        backoff.reset();
        assert!(!backoff.should_yield());
        backoff.paused_until = Some(Instant::now());
        assert!(backoff.should_yield());
    }
}
