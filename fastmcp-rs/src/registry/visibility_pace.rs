//! The pace of visibility functions: whether the thread that reads messages may call them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::util::operator_log;

/// Measures whether the functions of [`App::visible_if`](crate::App::visible_if) are quick enough to run on the thread
/// that reads messages. At first they count as slow, because one call may block for any time; they must prove to be
/// quick.
#[derive(Debug)]
pub(crate) struct VisibilityPace {
    /// The number of consecutive quick requests after which the functions count as quick.
    distrust: AtomicU32,
    panics: LogThrottle,
    delays: LogThrottle,
}

impl Default for VisibilityPace {
    fn default() -> Self {
        let distrust = AtomicU32::new(VisibilityPace::PROBATION);
        VisibilityPace { distrust, panics: LogThrottle::default(), delays: LogThrottle::default() }
    }
}

impl VisibilityPace {
    /// The longest time that the decisions of one request may delay other requests.
    const QUICK: Duration = Duration::from_micros(100);
    /// The number of quick requests required after a slow one.
    const PROBATION: u32 = 8;
    /// The time above which the decisions of one request delay other requests noticeably.
    const BLOCKING: Duration = Duration::from_millis(10);
    /// The number of quick requests required after one that blocked.
    const LONG_PROBATION: u32 = 1_000;
    /// The time above which the decisions of one request are logged.
    const LOGGED: Duration = Duration::from_secs(1);

    pub(crate) fn is_slow(&self) -> bool {
        self.distrust.load(Ordering::Relaxed) > 0
    }

    /// Records the time of all decisions of one request.
    pub(crate) fn record(&self, took: Duration) {
        let distrust = self.distrust.load(Ordering::Relaxed);
        // Concurrent records may count a request twice or not at all, which does no harm.
        match took {
            _ if took > VisibilityPace::BLOCKING => {
                self.distrust.store(VisibilityPace::LONG_PROBATION, Ordering::Relaxed)
            }
            _ if took > VisibilityPace::QUICK => {
                self.distrust.store(distrust.max(VisibilityPace::PROBATION), Ordering::Relaxed);
            }
            _ if distrust > 0 => self.distrust.store(distrust - 1, Ordering::Relaxed),
            _ => {}
        }
        if took > VisibilityPace::LOGGED && self.delays.should_log() {
            operator_log::warn(format_args!(
                "`App::visible_if` delayed a request by {} ms: it should only read memory",
                took.as_millis()
            ));
        }
    }

    /// Logs that a function panicked on a component, at most once per minute.
    pub(crate) fn report_panic(&self, name: &str, panic: &str) {
        if self.panics.should_log() {
            operator_log::error(format_args!(
                "`App::visible_if` panicked for `{name}`, which is therefore hidden: {panic} (logged once per minute)"
            ));
        }
    }
}

/// Limits an event to one log line per minute.
#[derive(Debug, Default)]
struct LogThrottle {
    /// The time at which the next event is due, in milliseconds since the first event of the process.
    due: AtomicU64,
}

impl LogThrottle {
    const INTERVAL: u64 = 60_000;

    fn should_log(&self) -> bool {
        static START: OnceLock<Instant> = OnceLock::new();
        let now = u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.due.load(Ordering::Relaxed);
        let next = now.saturating_add(LogThrottle::INTERVAL);
        now >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_count_as_slow_until_measured_as_quick() {
        let pace = VisibilityPace::default();
        let quick_until_trusted = || {
            let mut count = 0;
            while pace.is_slow() {
                pace.record(Duration::from_micros(5));
                count += 1;
            }
            count
        };
        assert_eq!(quick_until_trusted(), 8);
        pace.record(Duration::from_micros(200));
        assert_eq!(quick_until_trusted(), 8);
        pace.record(Duration::from_millis(20));
        pace.record(Duration::from_micros(200));
        assert_eq!(quick_until_trusted(), 1_000, "one that blocked is remembered for long");
    }

    #[test]
    fn an_event_is_logged_once_a_minute() {
        let throttle = LogThrottle::default();
        assert_eq!((0..1_000).filter(|_| throttle.should_log()).count(), 1);
    }
}
