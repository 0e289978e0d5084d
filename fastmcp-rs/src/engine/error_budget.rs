//! The limit on errors that answer no request.
//!
//! Two peers that answer each other's malformed messages would never stop.

use std::time::Instant;

use crate::util::operator_log;

/// The maximum number of errors without an id that a peer can cause at once; [`ERRORS_PER_SECOND`] are added to the
/// budget.
const MAX_ERRORS: u32 = 100;
const ERRORS_PER_SECOND: u32 = 10;

/// The budget of errors that answer no request.
pub(super) struct ErrorBudget {
    remaining: u32,
    /// The time at which errors were last added to the budget; set at the first error.
    refilled_at: Option<Instant>,
    suppressed: u64,
}

impl Default for ErrorBudget {
    fn default() -> ErrorBudget {
        ErrorBudget { remaining: MAX_ERRORS, refilled_at: None, suppressed: 0 }
    }
}

impl ErrorBudget {
    /// Takes one error from the budget. Returns `false` if none is left, so that the error is not sent.
    pub(super) fn spend(&mut self) -> bool {
        self.refill();
        if self.remaining > 0 {
            self.remaining -= 1;
            return true;
        }
        self.suppressed += 1;
        if self.suppressed.is_power_of_two() {
            let refused = self.suppressed;
            operator_log::warn(format_args!("the client sends unreadable messages: {refused} got no response"));
        }
        false
    }

    fn refill(&mut self) {
        let since = *self.refilled_at.get_or_insert_with(Instant::now);
        let earned = u32::try_from(since.elapsed().as_millis() / 1000).unwrap_or(u32::MAX);
        if earned > 0 {
            self.remaining = self.remaining.saturating_add(earned.saturating_mul(ERRORS_PER_SECOND)).min(MAX_ERRORS);
            self.refilled_at = Some(Instant::now());
        }
    }
}
