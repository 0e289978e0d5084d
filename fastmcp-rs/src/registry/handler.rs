//! What tools, resources and prompts have in common once they are described: how they are called, and
//! how long that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::component::description::{Described, Description};
use crate::component::invocation::{Invocation, Invoked};
use crate::component::tool::{Icon, Location, Text};
use crate::context::{Shared, States};
use crate::layers::Chain;
use crate::operator;
use crate::protocol::Revision;

/// A component that can be called.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) shared: Arc<Shared>,
    pub(crate) invoke: fn(Invocation<'_>) -> Invoked,
    pub(crate) described: Described,
    pub(crate) timeout: Option<Duration>,
    pub(crate) location: Location,
    /// What its calls go through.
    pub(crate) layers: Chain,
    /// Shared with the calls that run.
    pub(crate) pace: Arc<Pace>,
}

impl Handler {
    pub(crate) fn new(
        name: Text,
        states: &Arc<States>,
        invoke: fn(Invocation<'_>) -> Invoked,
        timeout: Option<Duration>,
        location: Location,
    ) -> Handler {
        let mut description = Description::new();
        invoke(Invocation::describe(&mut description));
        let shared = Arc::new(Shared { name, states: Arc::clone(states) });
        let (layers, pace) = (Chain::default(), Arc::default());
        Handler { shared, invoke, described: description.finish(), timeout, location, layers, pace }
    }

    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }
}

/// What every component may say about itself, as members of its entry in a list.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) name: Text,
    pub(crate) title: Option<Text>,
    pub(crate) description: Text,
    pub(crate) tags: Vec<Text>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) meta: Map<String, Value>,
}

/// What the definitions of all kinds of components have in common.
macro_rules! about {
    ($definition:expr) => {
        $crate::registry::handler::About {
            name: $definition.name.into(),
            title: $definition.title.map(Into::into),
            description: $definition.description.into(),
            tags: $definition.tags.iter().copied().map(Into::into).collect(),
            icons: $definition.icons.iter().map(Into::into).collect(),
            // The macro has made sure that it is an object.
            meta: $definition.meta.and_then(|meta| ::serde_json::from_str(meta).ok()).unwrap_or_default(),
        }
    };
}
pub(super) use about;

impl About {
    /// The members that stand first.
    pub(crate) fn begin(&self, entry: &mut Map<String, Value>, revision: Revision) {
        entry.insert("name".into(), self.name.as_ref().into());
        if let (Some(title), true) = (&self.title, revision >= Revision::V2025_06_18) {
            entry.insert("title".into(), title.as_ref().into());
        }
        if !self.description.is_empty() {
            entry.insert("description".into(), self.description.as_ref().into());
        }
    }

    /// The members that stand last.
    pub(crate) fn end(&self, entry: &mut Map<String, Value>, revision: Revision) {
        if !self.icons.is_empty() && revision >= Revision::V2025_11_25 {
            entry.insert("icons".into(), self.icons.iter().map(icon).collect());
        }
        if revision < Revision::V2025_06_18 {
            return;
        }
        let mut meta = self.meta.clone();
        if !self.tags.is_empty() {
            let fastmcp = meta.entry("fastmcp").or_insert_with(|| json!({}));
            if let Value::Object(fastmcp) = fastmcp {
                fastmcp.insert("tags".into(), self.tags.iter().map(Text::as_ref).collect());
            }
        }
        if !meta.is_empty() {
            entry.insert("_meta".into(), meta.into());
        }
    }
}

fn icon(icon: &Icon) -> Value {
    let mut entry = Map::new();
    entry.insert("src".into(), icon.src.as_ref().into());
    if let Some(mime_type) = &icon.mime_type {
        entry.insert("mimeType".into(), mime_type.as_ref().into());
    }
    if !icon.sizes.is_empty() {
        entry.insert("sizes".into(), icon.sizes.iter().map(Text::as_ref).collect());
    }
    if let Some(theme) = &icon.theme {
        entry.insert("theme".into(), theme.as_ref().into());
    }
    entry.into()
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

    pub(crate) fn record(&self, took: Duration, name: &str) {
        let took_nanos = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
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
