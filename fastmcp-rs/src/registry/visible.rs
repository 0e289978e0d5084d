//! Who may see which component.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::component::about::About;
use crate::component::tool::{Text, ToolAnnotations};
use crate::context::{Context, Shared};
use crate::operator;

/// What [`App::visible`](crate::App::visible) was given.
pub(crate) type Visible = Arc<dyn Fn(&Component<'_>, &Context) -> bool + Send + Sync>;

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ComponentKind {
    /// A tool.
    Tool,
    /// A resource with a URI of its own.
    Resource,
    /// Resources that share a template.
    ResourceTemplate,
    /// A prompt.
    Prompt,
}

/// A component that somebody asks for, as [`App::visible`](crate::App::visible) sees it.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    pub(super) kind: ComponentKind,
    pub(super) name: &'a str,
    pub(super) uri: Option<&'a str>,
    pub(super) about: &'a About,
    pub(super) hints: ToolAnnotations,
}

impl<'a> Component<'a> {
    /// What it is.
    pub fn kind(&self) -> ComponentKind {
        self.kind
    }

    /// Its name. One of a mounted app has the prefix that it has in the app whose function is asked.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The URI of a resource, or its template.
    pub fn uri(&self) -> Option<&'a str> {
        self.uri
    }

    /// Its tags.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.about.tags.iter().map(Text::as_ref)
    }

    /// Whether it has a tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags().any(|other| other == tag)
    }

    /// A member of its `_meta`.
    pub fn meta(&self, key: &str) -> Option<&'a Value> {
        self.about.meta.get(key)
    }

    /// Whether it is a tool that says it changes nothing, or no tool.
    pub fn is_read_only(&self) -> bool {
        self.kind != ComponentKind::Tool || self.hints.read_only == Some(true)
    }

    /// Whether it is a tool that says it may destroy something.
    pub fn is_destructive(&self) -> bool {
        self.hints.destructive == Some(true)
    }
}

/// A function that is asked before a component is shown, and what it sees of the component: that of its own app,
/// or that of an app in which this is mounted.
pub(crate) struct Gate {
    pub(super) visible: Visible,
    /// Its name and states as that app has them.
    pub(super) shared: Arc<Shared>,
    pub(super) uri: Option<Text>,
}

/// Tells whether the functions of [`App::visible`](crate::App::visible) are quick enough to be called by the thread that
/// reads messages. At first they are not, as one call may block for as long as the author likes: they have to prove it.
#[derive(Debug)]
pub(crate) struct DecisionPace {
    /// The number of requests in a row that must be decided quickly until the functions count as quick.
    distrust: AtomicU32,
    panics: Occasion,
    delays: Occasion,
}

impl Default for DecisionPace {
    fn default() -> Self {
        let distrust = AtomicU32::new(DecisionPace::PROBATION);
        DecisionPace { distrust, panics: Occasion::default(), delays: Occasion::default() }
    }
}

impl DecisionPace {
    /// The longest that the decisions of one request may hold up other requests.
    const QUICK: Duration = Duration::from_micros(100);
    /// The number of quick requests that outweigh a slow one.
    const PROBATION: u32 = 8;
    /// Decisions that take this long hold up others noticeably.
    const BLOCKING: Duration = Duration::from_millis(10);
    /// The number of quick requests that outweigh one that blocked.
    const LONG_PROBATION: u32 = 1_000;
    /// Decisions that take this long are logged.
    const LOGGED: Duration = Duration::from_secs(1);

    pub(crate) fn is_slow(&self) -> bool {
        self.distrust.load(Ordering::Relaxed) > 0
    }

    /// Records the time of all decisions of one request.
    pub(crate) fn record(&self, took: Duration) {
        let distrust = self.distrust.load(Ordering::Relaxed);
        // A request that is counted twice or not at all, as two are recorded at once, changes nothing that matters.
        match took {
            _ if took > DecisionPace::BLOCKING => self.distrust.store(DecisionPace::LONG_PROBATION, Ordering::Relaxed),
            _ if took > DecisionPace::QUICK => {
                self.distrust.store(distrust.max(DecisionPace::PROBATION), Ordering::Relaxed);
            }
            _ if distrust > 0 => self.distrust.store(distrust - 1, Ordering::Relaxed),
            _ => {}
        }
        if took > DecisionPace::LOGGED && self.delays.is_due() {
            operator::warn(format_args!(
                "`App::visible` took {} ms for one request, which waits for it; other requests do not: let it look into \
                 memory only",
                took.as_millis()
            ));
        }
    }

    /// Logs that a function panicked on a component, at most once a minute.
    pub(crate) fn report_panic(&self, name: &str, panic: &str) {
        if self.panics.is_due() {
            operator::error(format_args!(
                "`App::visible` panicked on `{name}`, which is hidden therefore: {panic} (logged once a minute)"
            ));
        }
    }
}

/// An event that is logged once a minute at most.
#[derive(Debug, Default)]
struct Occasion {
    /// Milliseconds since the first event of the process at which the next one is due.
    due: AtomicU64,
}

impl Occasion {
    const INTERVAL: u64 = 60_000;

    fn is_due(&self) -> bool {
        static START: OnceLock<Instant> = OnceLock::new();
        let now = u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.due.load(Ordering::Relaxed);
        let next = now.saturating_add(Occasion::INTERVAL);
        now >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gate").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

impl Gate {
    /// What calls of the function are given as their component.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether the component may be seen.
    pub(crate) fn opens(&self, kind: ComponentKind, about: &About, hints: ToolAnnotations, context: &Context) -> bool {
        let component = Component { kind, name: &self.shared.name, uri: self.uri.as_deref(), about, hints };
        (self.visible)(&component, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_count_as_slow_until_they_have_proved_to_be_quick() {
        let pace = DecisionPace::default();
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
        let occasion = Occasion::default();
        assert_eq!((0..1_000).filter(|_| occasion.is_due()).count(), 1);
    }
}
