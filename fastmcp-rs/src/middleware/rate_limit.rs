//! Limits the rate of calls per principal and component.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde_json::json;
// The runtime's clock, which tests can pause.
use tokio::time::Instant;

use super::{Layer, Method, Next, Operation, OperationError, Response};
use crate::error::ToolError;
use crate::protocol::write::code;
use crate::util::count::counted;
use crate::util::sync::Mutex;

/// The most token buckets of principals; at this number they take about 3 MB.
const MAX_BUCKETS: usize = 1 << 16;
/// The shortest time between two removals of full buckets.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Limits the rate at which each principal uses each tool, resource, prompt and completion, with a token bucket per
/// pair.
///
/// The specification requires rate limits for tools and completions. Without principals, as on standard input, all
/// calls of a tool share one bucket. All resources of one template share a bucket too. Lists and `server/discover` are
/// not limited.
///
/// A tool call beyond the limit gets a failed result that tells the model when to try again. Other operations beyond
/// the limit get a JSON-RPC error (-32603) with the seconds to wait as `retryAfter` in its `data`.
///
/// Each round of a call that asks its client counts, and so does each call from a handler to another component; leave
/// room for them. Buckets are kept for 65,536 pairs of principal and component, and removed as soon as they are full.
/// Beyond that number, new pairs share one bucket per component.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#security-considerations>
///
/// # Example
///
/// ```
/// use fastmcp_rs::middleware::RateLimit;
/// use fastmcp_rs::prelude::*;
///
/// let limit = RateLimit::per_second(10.0).burst(20).component("send_mail", RateLimit::per_minute(6.0).burst(2));
/// let app = App::empty("limited").layer(limit);
/// # let _ = app;
/// ```
#[must_use = "a layer does nothing until it is added to an app"]
pub struct RateLimit {
    rate: Rate,
    of_components: HashMap<String, Rate>,
    buckets: Mutex<Buckets>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    /// The time in which one token is added.
    interval: Duration,
    /// The number of tokens of a full bucket.
    burst: u32,
}

/// The buckets. The state of a bucket is the time at which it will be full; its key is the hash of the pair.
#[derive(Default)]
struct Buckets {
    full_at: HashMap<u64, Instant>,
    swept: Option<Instant>,
}

impl RateLimit {
    /// Allows `rate` calls per second on average. The burst is `rate` rounded down, and at least 1; see
    /// [`RateLimit::burst`].
    ///
    /// # Panics
    ///
    /// Panics unless `rate` is finite and above zero.
    #[track_caller]
    pub fn per_second(rate: f64) -> RateLimit {
        RateLimit::new(rate, Duration::from_secs(1))
    }

    /// Allows `rate` calls per minute on average. The burst is `rate` rounded down, and at least 1; see
    /// [`RateLimit::burst`].
    ///
    /// # Panics
    ///
    /// Panics unless `rate` is finite and above zero.
    #[track_caller]
    pub fn per_minute(rate: f64) -> RateLimit {
        RateLimit::new(rate, Duration::from_secs(60))
    }

    #[track_caller]
    fn new(rate: f64, time: Duration) -> RateLimit {
        assert!(rate.is_finite() && rate > 0.0, "a rate must be a number above zero, not {rate}");
        // An interval of more than a year is not a useful rate, and could overflow the clock.
        let seconds = (time.as_secs_f64() / rate).clamp(1e-9, 365.0 * 86_400.0);
        let rate = Rate { interval: Duration::from_secs_f64(seconds), burst: (rate as u32).max(1) };
        RateLimit { rate, of_components: HashMap::new(), buckets: Mutex::default(), hasher: RandomState::new() }
    }

    /// Sets the number of calls that are allowed at once after a pause; at least 1.
    pub fn burst(mut self, calls: u32) -> RateLimit {
        self.rate.burst = calls.max(1);
        self
    }

    /// Sets another limit for one component, by the name of the tool, the resource, the template or the prompt.
    pub fn component(mut self, name: impl Into<String>, limit: RateLimit) -> RateLimit {
        self.of_components.insert(name.into(), limit.rate);
        self
    }

    /// Takes a token, or returns the time until one is available.
    fn take_token(&self, principal: Option<&str>, method: Method, component: &str) -> Result<(), Duration> {
        let rate = self.of_components.get(component).unwrap_or(&self.rate);
        let now = Instant::now();
        let mut buckets = self.buckets.lock();
        let mut key = self.hasher.hash_one((principal, method, component));
        if buckets.full_at.len() >= MAX_BUCKETS && !buckets.full_at.contains_key(&key) {
            buckets.sweep(now);
            if buckets.full_at.len() >= MAX_BUCKETS {
                key = self.hasher.hash_one((method, component));
            }
        } else if buckets.full_at.len() > 1024 {
            buckets.sweep(now);
        }
        let full_at = buckets.full_at.entry(key).or_insert(now);
        let missing = full_at.saturating_duration_since(now);
        // The most time that may be missing from a bucket that still has a token.
        let most = rate.interval.saturating_mul(rate.burst - 1);
        if missing > most {
            return Err(missing - most);
        }
        *full_at = now + missing + rate.interval;
        Ok(())
    }
}

impl Buckets {
    /// Removes full buckets, because a new bucket has the same state.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now < swept + SWEEP_INTERVAL) {
            return;
        }
        self.swept = Some(now);
        self.full_at.retain(|_, full_at| *full_at > now);
    }
}

#[diagnostic::do_not_recommend]
impl Layer for RateLimit {
    async fn handle(&self, operation: Operation, next: Next) -> Result<Response, OperationError> {
        let method = operation.method();
        if !method.has_component() {
            return next.run(operation).await;
        }
        let principal = operation.context().principal().map(crate::Principal::id);
        match self.take_token(principal, method, operation.component_name()) {
            Ok(()) => next.run(operation).await,
            Err(wait) => Err(refuse(method, operation.component_name(), wait)),
        }
    }
}

fn refuse(method: Method, component: &str, wait: Duration) -> OperationError {
    // The time is rounded up, so that a client that waits for it is not too early again.
    let seconds = (wait.as_secs_f64() * 10.0).ceil() / 10.0;
    let wait = counted(seconds, "second");
    if method == Method::CallTool {
        return ToolError::new(format!("Too many calls of `{component}`. Try again in {wait}.")).into();
    }
    let text = format!("Internal error: too many requests for `{component}`: try again in {wait}");
    OperationError::new(code::INTERNAL_ERROR, text).data(json!({ "retryAfter": seconds }))
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
            let _ = limit.take_token(Some(&at.to_string()), Method::CallTool, "search");
        }
        let held = limit.buckets.lock().full_at.len();
        assert!(held <= MAX_BUCKETS + 1, "{held}");
        // Existing pairs keep their buckets. New pairs share one, which is empty by now.
        assert!(limit.take_token(Some("0"), Method::CallTool, "search").is_err());
        assert!(limit.take_token(Some("newcomer"), Method::CallTool, "search").is_err());
        assert!(limit.take_token(Some("newcomer"), Method::CallTool, "other").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn full_buckets_are_removed() {
        let limit = RateLimit::per_second(1.0).component("report", RateLimit::per_minute(1.0));
        let held = || limit.buckets.lock().full_at.len();
        limit.take_token(Some("ada"), Method::CallTool, "report").unwrap();
        for at in 0..MAX_BUCKETS {
            let _ = limit.take_token(Some(&at.to_string()), Method::CallTool, "search");
        }
        assert!(held() >= MAX_BUCKETS);
        tokio::time::advance(Duration::from_secs(2)).await;
        limit.take_token(Some("newcomer"), Method::CallTool, "search").unwrap();
        assert_eq!(held(), 2, "the newcomer's, and the one that fills slowly");
        assert!(limit.take_token(Some("ada"), Method::CallTool, "report").is_err());
        limit.take_token(Some("other"), Method::CallTool, "search").expect("newcomers have buckets of their own again");
    }

    #[test]
    fn extreme_rates_are_valid() {
        for limit in [
            RateLimit::per_second(f64::MIN_POSITIVE),
            RateLimit::per_second(f64::MAX),
            RateLimit::per_minute(f64::MIN_POSITIVE / 2.0).burst(u32::MAX),
            RateLimit::per_minute(1e-300).burst(0),
        ] {
            for _ in 0..100 {
                if let Err(wait) = limit.take_token(None, Method::CallTool, "x") {
                    assert!(!wait.is_zero() && refuse(Method::GetPrompt, "x", wait).data_json().is_some());
                }
            }
        }
    }
}
