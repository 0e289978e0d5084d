//! How often each client may ask.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
// The clock of the runtime, so that tests can pause it.
use tokio::time::Instant;

use super::{Kind, Layer, Next, Operation, Refusal, Reply};
use crate::error::ToolError;
use crate::protocol::write::code;

/// The most buckets of principals that are kept: some 3 MB.
const MAX_BUCKETS: usize = 1 << 16;
/// How often buckets that nobody uses are looked for, at the most.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Limits how often each principal may use each tool, resource, prompt and completion: a token bucket for each.
///
/// The specification demands it of tools and completions. Without principals, as on standard input, all calls of a
/// tool share a bucket. Resources of one template share one too. Lists are let through.
///
/// A tool call that comes too early is answered by a failure that tells the model when to try again; what else
/// comes too early, by a JSON-RPC error (−32603) with `retryAfter` in its `data`, in seconds.
///
/// Each round of a call that asks its client something counts, as does what a handler asks of its siblings: leave
/// room for them. Buckets are kept for 65,536 pairs of principal and component, and forgotten as soon as they are
/// full; beyond that, newcomers share one bucket for each component.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#security-considerations>
///
/// # Example
///
/// ```
/// use fastmcp_rs::layers::RateLimit;
/// use fastmcp_rs::prelude::*;
///
/// let limit = RateLimit::per_second(10.0).burst(20).component("send_mail", RateLimit::per_minute(6.0).burst(2));
/// let app = App::empty("limited").layer(limit);
/// # let _ = app;
/// ```
pub struct RateLimit {
    rate: Rate,
    of_components: HashMap<String, Rate>,
    buckets: Mutex<Buckets>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    /// How long it takes until a token comes.
    interval: Duration,
    /// How many tokens a bucket has.
    burst: u32,
}

/// For each pair, by its hash, when its bucket is full: all that is to be known of a bucket.
#[derive(Default)]
struct Buckets {
    full_at: HashMap<u64, Instant>,
    swept: Option<Instant>,
}

impl RateLimit {
    /// So many a second on average. As many may come at once, but at least one; see [`RateLimit::burst`].
    ///
    /// # Panics
    ///
    /// Panics unless `rate` is a number above zero.
    #[track_caller]
    pub fn per_second(rate: f64) -> RateLimit {
        RateLimit::per(rate, Duration::from_secs(1))
    }

    /// So many a minute on average. As many may come at once, but at least one; see [`RateLimit::burst`].
    ///
    /// # Panics
    ///
    /// Panics unless `rate` is a number above zero.
    #[track_caller]
    pub fn per_minute(rate: f64) -> RateLimit {
        RateLimit::per(rate, Duration::from_secs(60))
    }

    #[track_caller]
    fn per(rate: f64, time: Duration) -> RateLimit {
        assert!(rate.is_finite() && rate > 0.0, "a rate is a number above zero, not {rate}");
        // A longer time than a year is no rate, and would be beyond what clocks can tell.
        let seconds = (time.as_secs_f64() / rate).clamp(1e-9, 365.0 * 86_400.0);
        let rate = Rate { interval: Duration::from_secs_f64(seconds), burst: (rate as u32).max(1) };
        RateLimit { rate, of_components: HashMap::new(), buckets: Mutex::default(), hasher: RandomState::new() }
    }

    /// How many may come at once after a time of silence; at least 1.
    pub fn burst(mut self, calls: u32) -> RateLimit {
        self.rate.burst = calls.max(1);
        self
    }

    /// Another limit for one component, by the name of the tool, the resource, the template or the prompt.
    pub fn component(mut self, name: impl Into<String>, limit: RateLimit) -> RateLimit {
        self.of_components.insert(name.into(), limit.rate);
        self
    }

    /// Takes a token, or tells how long it takes until there is one.
    fn take(&self, principal: Option<&str>, kind: Kind, component: &str) -> Result<(), Duration> {
        let rate = self.of_components.get(component).unwrap_or(&self.rate);
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = self.hasher.hash_one((principal, kind, component));
        if buckets.full_at.len() >= MAX_BUCKETS && !buckets.full_at.contains_key(&key) {
            buckets.sweep(now);
            if buckets.full_at.len() >= MAX_BUCKETS {
                key = self.hasher.hash_one((kind, component));
            }
        } else if buckets.full_at.len() > 1024 {
            buckets.sweep(now);
        }
        let full_at = buckets.full_at.entry(key).or_insert(now);
        let missing = full_at.saturating_duration_since(now);
        // What may be missing from a bucket out of which one more token is taken.
        let most = rate.interval.saturating_mul(rate.burst - 1);
        if missing > most {
            return Err(missing - most);
        }
        *full_at = now + missing + rate.interval;
        Ok(())
    }
}

impl Buckets {
    /// Forgets the buckets that are full: a new one would be the same.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now < swept + SWEEP_INTERVAL) {
            return;
        }
        self.swept = Some(now);
        self.full_at.retain(|_, full_at| *full_at > now);
    }
}

impl Layer for RateLimit {
    async fn handle(&self, operation: Operation, next: Next) -> Result<Reply, Refusal> {
        let kind = operation.kind();
        if !kind.is_of_a_component() {
            return next.run(operation).await;
        }
        let principal = operation.context().principal().map(crate::Principal::id);
        match self.take(principal, kind, operation.component_name()) {
            Ok(()) => next.run(operation).await,
            Err(wait) => Err(refuse(kind, operation.component_name(), wait)),
        }
    }
}

fn refuse(kind: Kind, component: &str, wait: Duration) -> Refusal {
    // Rounded up: who comes back then must not come too early again.
    let seconds = (wait.as_secs_f64() * 10.0).ceil() / 10.0;
    if kind == Kind::CallTool {
        return ToolError::new(format!("Too many calls of `{component}`: try again in {seconds} seconds.")).into();
    }
    let text = format!("Internal error: too many requests for `{component}`: try again in {seconds} seconds");
    Refusal::new(code::INTERNAL_ERROR, text).data(json!({ "retryAfter": seconds }))
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RateLimit").field("rate", &self.rate).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let limit = RateLimit::per_minute(1.0);
        for at in 0..MAX_BUCKETS + 10 {
            let _ = limit.take(Some(&at.to_string()), Kind::CallTool, "search");
        }
        let held = limit.buckets.lock().unwrap().full_at.len();
        assert!(held <= MAX_BUCKETS + 1, "{held}");
        // Who had a bucket keeps it; newcomers share one, and it is empty by now.
        assert!(limit.take(Some("0"), Kind::CallTool, "search").is_err());
        assert!(limit.take(Some("newcomer"), Kind::CallTool, "search").is_err());
        assert!(limit.take(Some("newcomer"), Kind::CallTool, "other").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn full_buckets_are_forgotten() {
        let limit = RateLimit::per_second(1.0).component("report", RateLimit::per_minute(1.0));
        let held = || limit.buckets.lock().unwrap().full_at.len();
        limit.take(Some("ada"), Kind::CallTool, "report").unwrap();
        for at in 0..MAX_BUCKETS {
            let _ = limit.take(Some(&at.to_string()), Kind::CallTool, "search");
        }
        assert!(held() >= MAX_BUCKETS);
        tokio::time::advance(Duration::from_secs(2)).await;
        limit.take(Some("newcomer"), Kind::CallTool, "search").unwrap();
        assert_eq!(held(), 2, "the newcomer's, and the one that fills slowly");
        assert!(limit.take(Some("ada"), Kind::CallTool, "report").is_err());
        limit.take(Some("other"), Kind::CallTool, "search").expect("newcomers have buckets of their own again");
    }

    #[test]
    fn odd_rates_are_rates() {
        for limit in [
            RateLimit::per_second(f64::MIN_POSITIVE),
            RateLimit::per_second(f64::MAX),
            RateLimit::per_minute(f64::MIN_POSITIVE / 2.0).burst(u32::MAX),
            RateLimit::per_minute(1e-300).burst(0),
        ] {
            for _ in 0..100 {
                if let Err(wait) = limit.take(None, Kind::CallTool, "x") {
                    assert!(!wait.is_zero() && refuse(Kind::GetPrompt, "x", wait).data_json().is_some());
                }
            }
        }
    }
}
