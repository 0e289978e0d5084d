//! How many lines are answered before their answers are written, while more lines have come already.
//!
//! One write for each answer costs several times a quick call. One write for everything that was read lets client and
//! server take turns: one sleeps while the other works, and the first answer waits for the last call. So answers are
//! written whenever there are half as many as a busy client has calls, or a fraction of a millisecond has passed: that
//! keeps both at work for a price of a few percent. The clock is looked at only where lines came together.

use std::time::{Duration, Instant};

/// The most lines that are answered before a write. Of a client that keeps 64 calls in flight it makes two halves,
/// of which one is always on its way.
const MOST: u32 = 32;
/// For about how long answers may wait for the next ones.
const PATIENCE: Duration = Duration::from_micros(300);

#[derive(Debug)]
pub(super) struct Gather {
    /// After how many lines to write, by how long the last ones took.
    most: u32,
    /// How many lines have begun since the last write.
    lines: u32,
    /// When the first line began that is timed.
    since: Option<Instant>,
}

impl Gather {
    pub(super) fn new() -> Gather {
        Gather { most: MOST, lines: 0, since: None }
    }

    /// A line is about to be answered.
    pub(super) fn begin_line(&mut self) {
        // A line that comes alone, as most do, is not timed. Where each is written by itself, each is timed, to find
        // out when they are quick again.
        if self.lines == 1 || self.most == 1 {
            self.since = Some(Instant::now());
        }
        self.lines += 1;
    }

    /// Whether it is time to write.
    pub(super) fn is_due(&self) -> bool {
        self.lines >= self.most
    }

    /// Everything is about to be written.
    pub(super) fn end(&mut self) {
        if let Some(since) = self.since.take() {
            let timed = if self.most == 1 { 1 } else { self.lines - 1 };
            self.most = lines_for(since.elapsed(), timed);
        }
        self.lines = 0;
    }
}

/// How many lines take as long as answers may wait, when `timed` of them took so long.
fn lines_for(took: Duration, timed: u32) -> u32 {
    if took >= PATIENCE * MOST {
        return 1;
    }
    // All of these are less than a second, so few bits are enough to divide.
    let lines = PATIENCE.subsec_nanos().saturating_mul(timed) / took.subsec_nanos().max(1);
    lines.clamp(1, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_lines_are_batched_and_slow_ones_are_not() {
        let micros = Duration::from_micros;
        assert_eq!(lines_for(micros(31 * 10), 31), 30);
        assert_eq!(lines_for(micros(31 * 20), 31), 15);
        assert_eq!(lines_for(micros(31 * 151), 31), 1);
        assert_eq!(lines_for(micros(300), 1), 1);
        assert_eq!(lines_for(Duration::from_secs(3600), 1), 1);
        assert_eq!(lines_for(micros(1), 31), MOST);
        assert_eq!(lines_for(Duration::ZERO, MOST), MOST);
        assert_eq!(lines_for(PATIENCE * MOST, MOST), 1);
        assert_eq!(lines_for(Duration::from_secs(1), 31), 1);
    }

    #[test]
    fn a_line_that_comes_alone_is_not_timed() {
        let mut gather = Gather::new();
        for _ in 0..100 {
            gather.begin_line();
            assert!(gather.since.is_none() && !gather.is_due());
            gather.end();
        }
        assert_eq!(gather.most, MOST);
    }

    #[test]
    fn the_duration_of_lines_is_measured() {
        let mut gather = Gather::new();
        gather.begin_line();
        gather.begin_line();
        std::thread::sleep(PATIENCE);
        gather.end();
        assert_eq!(gather.most, 1);
        gather.begin_line();
        assert!(gather.is_due());
        std::thread::sleep(PATIENCE);
        gather.end();
        assert_eq!(gather.most, 1);
        // They may be quick again; a machine that is busy shows it only now and then.
        let found = (0..1000).any(|_| {
            gather.begin_line();
            gather.end();
            gather.most > 1
        });
        assert!(found);
    }

    #[test]
    fn a_batch_ends_at_its_maximum_of_lines() {
        let mut gather = Gather::new();
        for line in 1..=MOST {
            gather.begin_line();
            assert_eq!(gather.is_due(), line == MOST, "{line}");
        }
    }
}
