//! Yields the core a few times before a thread without work goes to sleep.
//!
//! Work arrives in batches. A thread that sleeps between two items of a batch must be woken for each of them, which
//! takes several times as long as a quick item. But a thread that gets the core by the yield may compute and keep it
//! for milliseconds, whereas a sleeping thread would be woken at once. So after a long yield, the thread sleeps without
//! yielding first for a while.

use std::thread;
use std::time::{Duration, Instant};

/// The number of yields before a thread sleeps.
const LOOKS: u32 = 16;
/// A yield of at least this time is long: threads that produce work for others hold a core for less, threads that
/// compute for more.
const LONG: Duration = Duration::from_millis(1);
/// The time after a long yield in which the thread sleeps without yielding first.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Linger {
    looks: u32,
    paused_until: Option<Instant>,
}

impl Linger {
    /// Returns true if the thread should yield rather than sleep.
    pub(crate) fn wants_to(&self) -> bool {
        self.looks < LOOKS && self.paused_until.is_none_or(|until| Instant::now() >= until)
    }

    /// Yields the core, and returns the elapsed time for [`Linger::passed`].
    pub(crate) fn pass() -> Duration {
        let start = Instant::now();
        thread::yield_now();
        start.elapsed()
    }

    /// Records a yield and its duration.
    pub(crate) fn passed(&mut self, took: Duration) {
        self.looks += 1;
        if took >= LONG {
            self.paused_until = Some(Instant::now() + PAUSE);
        }
    }

    /// Resets the number of yields, after work arrived or the thread slept.
    pub(crate) fn begin_anew(&mut self) {
        self.looks = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_polls_again_before_it_parks() {
        let mut linger = Linger::default();
        for _ in 0..LOOKS {
            assert!(linger.wants_to());
            linger.passed(Duration::from_micros(300));
        }
        assert!(!linger.wants_to());
        linger.begin_anew();
        assert!(linger.wants_to());
    }

    #[test]
    fn a_thread_parks_at_once_after_a_long_wait() {
        let mut linger = Linger::default();
        linger.passed(LONG);
        linger.begin_anew();
        assert!(!linger.wants_to());
        linger.paused_until = Some(Instant::now());
        assert!(linger.wants_to());
    }
}
