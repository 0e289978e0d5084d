//! A subscriber that keeps spans with their fields, and the events inside of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

/// A span that was closed, or is still open.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub name: &'static str,
    pub target: &'static str,
    pub fields: BTreeMap<String, String>,
    pub parent: Option<&'static str>,
    pub events: Vec<String>,
    pub is_closed: bool,
}

impl Recorded {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

static SPANS: LazyLock<Mutex<BTreeMap<u64, Recorded>>> = LazyLock::new(Mutex::default);

struct Recorder;

/// The key of a span in the record.
struct Key(u64);

fn spans() -> MutexGuard<'static, BTreeMap<u64, Recorded>> {
    SPANS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records every event from now on.
pub fn install() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    INSTALLED.call_once(|| tracing_subscriber::registry().with(Recorder).init());
}

/// The spans of requests with this id, which each test makes up for itself.
pub fn requests(id: &str) -> Vec<Recorded> {
    spans().values().filter(|span| span.field("jsonrpc.request.id") == Some(id)).cloned().collect()
}

/// The span of the one request with this id, once it is closed.
pub async fn request(id: &str) -> Recorded {
    for _ in 0..1000 {
        match &requests(id)[..] {
            [span] if span.is_closed => return span.clone(),
            _ => {}
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("one closed span of {id}, not {:?}", requests(id));
}

/// Everything that was recorded, as text.
pub fn everything() -> String {
    format!("{:?}", spans())
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let key = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let span = context.span(id).unwrap();
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let metadata = attributes.metadata();
        let recorded = Recorded {
            name: metadata.name(),
            target: metadata.target(),
            fields: fields.0,
            parent: span.parent().map(|parent| parent.name()),
            ..Recorded::default()
        };
        span.extensions_mut().insert(Key(key));
        spans().insert(key, recorded);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        change(&context, id, |span| span.fields.extend(fields.0));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(span) = context.lookup_current() {
            let message = fields.0.remove("message").unwrap_or_default();
            change(&context, &span.id(), |span| span.events.push(message));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        change(&context, &id, |span| span.is_closed = true);
    }
}

fn change<S: Subscriber + for<'a> LookupSpan<'a>>(
    context: &Context<'_, S>,
    id: &Id,
    change: impl FnOnce(&mut Recorded),
) {
    let key = context.span(id).and_then(|span| span.extensions().get::<Key>().map(|key| key.0));
    if let (Some(key), mut spans) = (key, spans()) {
        spans.get_mut(&key).map(change);
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}"));
    }
}
