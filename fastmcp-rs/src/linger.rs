//! The moment in which a thread without work lets others run and looks again, before it sleeps.
//!
//! Work comes in batches, and who sleeps between two pieces of one batch has to be woken for each, which takes several
//! times as long as a quick piece. But whoever computes meanwhile may keep the core for milliseconds, where one who
//! sleeps would be woken at once. So who had to wait for long sleeps at once for a while.

use std::thread;
use std::time::{Duration, Instant};

/// How often a thread looks again.
const LOOKS: u32 = 16;
/// Those that make work for others hold a core for less than this, those that compute for more.
const LONG: Duration = Duration::from_millis(1);
/// How long it is not tried again then.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Linger {
    looks: u32,
    paused_until: Option<Instant>,
}

impl Linger {
    /// Whether to look again rather than to sleep.
    pub(crate) fn wants_to(&self) -> bool {
        self.looks < LOOKS && self.paused_until.is_none_or(|until| Instant::now() >= until)
    }

    /// Lets others run; returns for how long, for [`Linger::passed`].
    pub(crate) fn pass() -> Duration {
        let start = Instant::now();
        thread::yield_now();
        start.elapsed()
    }

    /// Others were let run for so long.
    pub(crate) fn passed(&mut self, took: Duration) {
        self.looks += 1;
        if took >= LONG {
            self.paused_until = Some(Instant::now() + PAUSE);
        }
    }

    /// There was work, or somebody has slept.
    pub(crate) fn begin_anew(&mut self) {
        self.looks = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_looks_again_for_a_moment() {
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
    fn who_had_to_wait_for_long_sleeps_at_once() {
        let mut linger = Linger::default();
        linger.passed(LONG);
        linger.begin_anew();
        assert!(!linger.wants_to());
        linger.paused_until = Some(Instant::now());
        assert!(linger.wants_to());
    }
}
