//! Limits the number of lines that are handled before their responses are written, while more lines have arrived.
//!
//! One write per response costs several times as much as a quick call. One write for everything that was read makes
//! client and server take turns: one sleeps while the other works, and the first response waits for the last call. So
//! responses are written when half as many as a busy client has calls in flight have gathered, or when a fraction of a
//! millisecond has passed. Both sides then keep working, at a cost of a few percent. The clock is read only if several
//! lines arrived together.

use std::time::{Duration, Instant};

/// The maximum number of lines that are handled before a write. For a client that keeps 64 calls in flight it forms two
/// halves, and one of them is always in transit.
const MAX_LINES: u32 = 32;
/// The approximate time that responses may wait for the next ones.
const MAX_WAIT: Duration = Duration::from_micros(300);

#[derive(Debug)]
pub(super) struct BatchSize {
    /// The number of lines after which to write, computed from the duration of the last lines.
    limit: u32,
    /// The number of lines begun since the last write.
    lines: u32,
    /// The time at which the first timed line began.
    since: Option<Instant>,
}

impl BatchSize {
    pub(super) fn new() -> BatchSize {
        BatchSize { limit: MAX_LINES, lines: 0, since: None }
    }

    /// Records that a line is about to be handled.
    pub(super) fn begin_line(&mut self) {
        // A line that arrives alone, as most do, is not timed. If each line is written separately, each is timed, to
        // detect when they become quick again.
        if self.lines == 1 || self.limit == 1 {
            self.since = Some(Instant::now());
        }
        self.lines += 1;
    }

    /// Returns true if it is time to write.
    pub(super) fn is_due(&self) -> bool {
        self.lines >= self.limit
    }

    /// Records that everything is about to be written.
    pub(super) fn end_batch(&mut self) {
        if let Some(since) = self.since.take() {
            let timed = if self.limit == 1 { 1 } else { self.lines - 1 };
            self.limit = compute_limit(since.elapsed(), timed);
        }
        self.lines = 0;
    }
}

/// Returns the number of lines that fit into [`MAX_WAIT`], given that `timed` lines took `took`.
fn compute_limit(took: Duration, timed: u32) -> u32 {
    if took >= MAX_WAIT * MAX_LINES {
        return 1;
    }
    // All durations are below one second, so few bits are enough for the division.
    let lines = MAX_WAIT.subsec_nanos().saturating_mul(timed) / took.subsec_nanos().max(1);
    lines.clamp(1, MAX_LINES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_lines_are_batched_and_slow_ones_are_not() {
        let micros = Duration::from_micros;
        assert_eq!(compute_limit(micros(31 * 10), 31), 30);
        assert_eq!(compute_limit(micros(31 * 20), 31), 15);
        assert_eq!(compute_limit(micros(31 * 151), 31), 1);
        assert_eq!(compute_limit(micros(300), 1), 1);
        assert_eq!(compute_limit(Duration::from_secs(3600), 1), 1);
        assert_eq!(compute_limit(micros(1), 31), MAX_LINES);
        assert_eq!(compute_limit(Duration::ZERO, MAX_LINES), MAX_LINES);
        assert_eq!(compute_limit(MAX_WAIT * MAX_LINES, MAX_LINES), 1);
        assert_eq!(compute_limit(Duration::from_secs(1), 31), 1);
    }

    #[test]
    fn a_single_line_is_not_timed() {
        let mut batch_size = BatchSize::new();
        for _ in 0..100 {
            batch_size.begin_line();
            assert!(batch_size.since.is_none() && !batch_size.is_due());
            batch_size.end_batch();
        }
        assert_eq!(batch_size.limit, MAX_LINES);
    }

    #[test]
    fn the_duration_of_lines_is_measured() {
        let mut batch_size = BatchSize::new();
        batch_size.begin_line();
        batch_size.begin_line();
        std::thread::sleep(MAX_WAIT);
        batch_size.end_batch();
        assert_eq!(batch_size.limit, 1);
        batch_size.begin_line();
        assert!(batch_size.is_due());
        std::thread::sleep(MAX_WAIT);
        batch_size.end_batch();
        assert_eq!(batch_size.limit, 1);
        // The lines may be quick again; a busy machine shows it only now and then.
        let found = (0..1000).any(|_| {
            batch_size.begin_line();
            batch_size.end_batch();
            batch_size.limit > 1
        });
        assert!(found);
    }

    #[test]
    fn a_batch_ends_at_its_maximum_of_lines() {
        let mut batch_size = BatchSize::new();
        for line in 1..=MAX_LINES {
            batch_size.begin_line();
            assert_eq!(batch_size.is_due(), line == MAX_LINES, "{line}");
        }
    }
}
