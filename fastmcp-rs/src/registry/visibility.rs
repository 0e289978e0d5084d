//! Visibility of components, decided per request by functions of the app.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::component::definition::{DefinitionText, ToolAnnotations};
use crate::component::metadata::Metadata;
use crate::context::{ComponentEnv, Context};
use crate::util::operator_log;

/// The function passed to [`App::visible_if`](crate::App::visible_if).
pub(crate) type VisibilityFn = Arc<dyn Fn(&Component<'_>, &Context) -> bool + Send + Sync>;

/// The kind of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ComponentKind {
    /// A tool.
    Tool,
    /// A resource with a fixed URI.
    Resource,
    /// A resource template.
    ResourceTemplate,
    /// A prompt.
    Prompt,
}

/// A component of a request, as [`App::visible_if`](crate::App::visible_if) gets it.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    pub(super) kind: ComponentKind,
    pub(super) name: &'a str,
    pub(super) uri: Option<&'a str>,
    pub(super) metadata: &'a Metadata,
    pub(super) hints: ToolAnnotations,
}

impl<'a> Component<'a> {
    /// Returns the kind of the component.
    pub fn kind(&self) -> ComponentKind {
        self.kind
    }

    /// Returns the name. A component of a mounted app has the prefix by which the app that owns the function knows it.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the URI of a resource, or its template.
    pub fn uri(&self) -> Option<&'a str> {
        self.uri
    }

    /// Returns the tags.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.metadata.tags.iter().map(DefinitionText::as_ref)
    }

    /// Returns true if the component has a tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags().any(|other| other == tag)
    }

    /// Returns a member of `_meta`.
    pub fn meta(&self, key: &str) -> Option<&'a Value> {
        self.metadata.meta.get(key)
    }

    /// Returns true for a tool with the hint `read_only`, and for every other kind of component.
    pub fn is_read_only(&self) -> bool {
        self.kind != ComponentKind::Tool || self.hints.read_only == Some(true)
    }

    /// Returns true for a tool with the hint `destructive`.
    pub fn is_destructive(&self) -> bool {
        self.hints.destructive == Some(true)
    }
}

/// A visibility function with its view of one component. The function belongs to the component's app or to an app in
/// which that app is mounted.
pub(crate) struct VisibilityCheck {
    pub(super) function: VisibilityFn,
    /// The component's name and the states in the function's app.
    pub(super) env: Arc<ComponentEnv>,
    pub(super) uri: Option<DefinitionText>,
}

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
                "`App::visible_if` took {} ms for one request, which waits for it; other requests do not: let it look into \
                 memory only",
                took.as_millis()
            ));
        }
    }

    /// Logs that a function panicked on a component, at most once per minute.
    pub(crate) fn report_panic(&self, name: &str, panic: &str) {
        if self.panics.should_log() {
            operator_log::error(format_args!(
                "`App::visible_if` panicked on `{name}`, which is hidden therefore: {panic} (logged once a minute)"
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

impl std::fmt::Debug for VisibilityCheck {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gate").field("name", &self.env.name).finish_non_exhaustive()
    }
}

impl VisibilityCheck {
    /// Returns the name and the states that the function gets.
    pub(crate) fn env(&self) -> &Arc<ComponentEnv> {
        &self.env
    }

    /// Returns true if the component is visible.
    pub(crate) fn is_visible(
        &self,
        kind: ComponentKind,
        metadata: &Metadata,
        hints: ToolAnnotations,
        context: &Context,
    ) -> bool {
        let component = Component { kind, name: &self.env.name, uri: self.uri.as_deref(), metadata, hints };
        (self.function)(&component, context)
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
