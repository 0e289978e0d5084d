//! What tools, resources and prompts have in common once they are described: how they are called, and
//! how long that takes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
#[cfg(feature = "metrics")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::visible::Gate;
use crate::component::description::{Described, Description};
use crate::component::dynamic::Closure;
use crate::component::invocation::{Invocation, Invoked};
use crate::component::tool::{Location, Text};
use crate::context::Shared;
use crate::layers::Chain;
use crate::schema::full::Full;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::Series;
use crate::{operator, panics};

/// A component that can be called.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) shared: Arc<Shared>,
    pub(crate) invoke: Invoke,
    pub(crate) described: Described,
    /// What it says itself.
    pub(crate) timeout: Option<Duration>,
    /// What the app says that brought it, if that one is mounted in the one that is served.
    pub(crate) default_timeout: Option<Duration>,
    pub(crate) location: Location,
    /// The place that added it, if it was made at run time: one helper may make many.
    pub(crate) added: Option<Location>,
    /// What its calls go through.
    pub(crate) layers: Chain,
    /// Shared with the calls that run.
    pub(crate) pace: Arc<Pace>,
    /// Who must agree before anybody sees it.
    pub(crate) gates: Vec<Gate>,
    /// Its numbers, once somebody has asked for it.
    #[cfg(feature = "metrics")]
    pub(crate) series: OnceLock<Arc<Series>>,
}

/// What is called.
pub(crate) enum Invoke {
    /// What a macro generated: it reads the arguments itself.
    Function(fn(Invocation<'_>) -> Invoked),
    /// What somebody made at run time: it gets arguments that fit the schema.
    Closure { call: Closure, schema: Option<Full> },
}

impl std::fmt::Debug for Invoke {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Invoke::Function(_) => "Function",
            Invoke::Closure { .. } => "Closure",
        })
    }
}

impl Handler {
    /// The handler of a generated function.
    pub(crate) fn generated(
        name: Text,
        invoke: fn(Invocation<'_>) -> Invoked,
        timeout: Option<Duration>,
        location: Location,
    ) -> Handler {
        // A type of the user's makes its schema here, and may fail to, such as by a default that does not fit.
        let described = panics::watched(|| {
            catch_unwind(AssertUnwindSafe(|| {
                let mut description = Description::new();
                invoke(Invocation::describe(&mut description));
                description.finish()
            }))
        });
        let described = described.unwrap_or_else(|payload| Described::panicked(&panics::record(payload).0));
        Handler::with(name, Invoke::Function(invoke), described, timeout, location)
    }

    /// The handler of a closure.
    pub(crate) fn dynamic(
        name: Text,
        (described, schema, call): (Described, Option<Full>, Closure),
        timeout: Option<Duration>,
        (location, added): (Location, Location),
    ) -> Handler {
        let handler = Handler::with(name, Invoke::Closure { call, schema }, described, timeout, location);
        Handler { added: Some(added), ..handler }
    }

    /// It belongs to no app yet.
    fn with(
        name: Text,
        invoke: Invoke,
        described: Described,
        timeout: Option<Duration>,
        location: Location,
    ) -> Handler {
        let shared = Arc::new(Shared { name, states: Arc::default(), namespaces: Arc::default() });
        let (layers, pace, gates) = (Chain::default(), Arc::default(), Vec::new());
        Handler {
            shared,
            invoke,
            described,
            timeout,
            default_timeout: None,
            location,
            added: None,
            layers,
            pace,
            gates,
            #[cfg(feature = "metrics")]
            series: OnceLock::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    /// The places in the source that tell it apart from another one of its name.
    pub(crate) fn places(&self) -> String {
        let location = self.location;
        match self.added.filter(|added| (added.file, added.line) != (location.file, location.line)) {
            Some(added) => format!("{location} (added at {added})"),
            None => location.to_string(),
        }
    }

    pub(crate) fn is_dynamic(&self) -> bool {
        matches!(self.invoke, Invoke::Closure { .. })
    }
}

/// A moving average of how long the first poll of a component takes.
///
/// The reader polls each call once itself, which is by far the quickest way as long as they are quick.
/// One that keeps the reader is moved to the runtime's own threads; it comes back when it is quick again.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// In nanoseconds.
    average: AtomicU32,
    samples: AtomicU32,
    /// Seconds since the first warning, plus one.
    warned: AtomicU32,
}

impl Pace {
    /// Above this a component is not polled by the reader.
    const SLOW: u32 = 100_000;
    /// How many bytes of an answer may be written by the reader, at a byte in a nanosecond, without being held against
    /// the component, however short its call was: to hand a long answer over takes longer than to write it.
    const WRITTEN: usize = 2 << 20;
    /// A poll that takes this long holds up a thread that other calls need.
    pub(crate) const BLOCKING: Duration = Duration::from_millis(100);

    pub(crate) fn is_slow(&self) -> bool {
        self.average.load(Ordering::Relaxed) > Self::SLOW
    }

    /// Whether to look at the clock for the next poll: always at first, then now and then, as looking costs
    /// a tenth of a quick call.
    pub(crate) fn wants_sample(&self) -> bool {
        let count = self.samples.load(Ordering::Relaxed);
        self.samples.store(count.wrapping_add(1), Ordering::Relaxed);
        count < 8 || count % 16 == 0
    }

    /// `written`: how long the answer is that was written meanwhile, to a message of length `read`. The reader has taken
    /// as long for that one, whoever polls the call; so as much of the answer may be both read from the arguments and
    /// written, at two nanoseconds a byte.
    pub(crate) fn record(&self, took: Duration, written: usize, read: usize, name: &str) {
        let nanos = written.min(Self::WRITTEN).max(written.min(read).saturating_mul(2));
        let writing = Duration::from_nanos(nanos as u64);
        // Never nothing, which stands for "not yet known".
        let took_nanos = u32::try_from(took.saturating_sub(writing).as_nanos()).unwrap_or(u32::MAX).max(1);
        let average = self.average.load(Ordering::Relaxed);
        let average = if average == 0 { took_nanos } else { average - average / 4 + took_nanos / 4 };
        self.average.store(average, Ordering::Relaxed);
        if took > Self::BLOCKING {
            self.warn(took, name);
        }
    }

    fn warn(&self, took: Duration, name: &str) {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let now = u32::try_from(START.get_or_init(Instant::now).elapsed().as_secs()).unwrap_or(u32::MAX - 1) + 1;
        let last = self.warned.load(Ordering::Relaxed);
        // Once a minute for each component.
        if last == 0 || now >= last.saturating_add(60) {
            self.warned.store(now, Ordering::Relaxed);
            operator::warn(format_args!(
                "`{name}` blocked its thread for {} ms without an await: mark it `blocking`, as in `#[mcp::tool(blocking)]`, or make it a `fn`",
                took.as_millis()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_poll_makes_no_component_slow() {
        let pace = Pace::default();
        for _ in 0..8 {
            pace.record(Duration::from_micros(50), 1 << 20, 0, "x");
        }
        pace.record(Duration::from_micros(1_300), 1 << 20, 0, "x");
        assert!(!pace.is_slow());
    }

    #[test]
    fn a_long_answer_makes_no_component_slow() {
        let after = |took: Duration, written: usize, read: usize| {
            let pace = Pace::default();
            pace.record(took, written, read, "x");
            pace.is_slow()
        };
        assert!(!after(Duration::from_micros(90), 0, 0) && after(Duration::from_micros(110), 0, 0));
        // At a byte in a nanosecond.
        assert!(!after(Duration::from_micros(1_100), 1 << 20, 0) && after(Duration::from_micros(1_200), 1 << 20, 0));
        // But the reader is nobody's for as long as anybody likes, only for as long as it took to read the call.
        assert!(after(Duration::from_millis(3), 64 << 20, 0) && !after(Duration::from_millis(3), 64 << 20, 3 << 20));
        assert!(
            !after(Duration::from_millis(6), 64 << 20, 3 << 20) && after(Duration::from_millis(7), 64 << 20, 3 << 20)
        );
    }
}
