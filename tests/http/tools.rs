//! The tools of the servers under test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastmcp_rs::prelude::*;

/// Counters of the calls of a server.
#[derive(Clone, Default)]
pub struct Seen {
    pub calls: Arc<AtomicUsize>,
    pub dropped: Arc<AtomicUsize>,
}

/// Adds two numbers.
#[mcp::tool]
pub async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Doubles, on a thread of its own.
#[mcp::tool]
pub fn double(number: i64) -> i64 {
    number * 2
}

/// Says something back.
#[mcp::tool]
pub async fn echo(text: String, seen: State<Seen>) -> String {
    seen.calls.fetch_add(1, Ordering::SeqCst);
    text
}

/// Says something back, a little later.
#[mcp::tool]
pub async fn echo_later(text: String) -> String {
    tokio::task::yield_now().await;
    text
}

/// Sends notifications without end, even to a client that does not read.
#[mcp::tool(timeout = "5s")]
pub async fn talk(ctx: &Context) -> String {
    let words = "word ".repeat(4000);
    for step in 0..1000_u32 {
        ctx.progress(f64::from(step), None, words.as_str());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    words
}

/// Gives as much as is asked for.
#[mcp::tool]
pub async fn much(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// The same, a little later.
#[mcp::tool]
pub async fn much_later(bytes: usize) -> String {
    tokio::time::sleep(Duration::from_millis(1)).await;
    "x".repeat(bytes)
}

/// Is mirrored into headers.
#[mcp::tool]
pub async fn route(
    #[arg(header = "Region")] region: String,
    #[arg(header = "Shard")] shard: Option<i64>,
    #[arg(header = "Dry-Run")] dry_run: Option<bool>,
) -> String {
    format!("{region} {shard:?} {dry_run:?}")
}

pub struct Dropped(pub Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Takes its time.
#[mcp::tool]
pub async fn sleep(milliseconds: u64, seen: State<Seen>) -> String {
    seen.calls.fetch_add(1, Ordering::SeqCst);
    let _dropped = Dropped(Arc::clone(&seen.dropped));
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    "slept".into()
}

/// Tells how far it is before it waits, and afterwards.
#[mcp::tool]
pub async fn steps(wait: u64, ctx: &Context) -> String {
    ctx.progress(1.0, 3.0, "first");
    tokio::time::sleep(Duration::from_millis(wait)).await;
    ctx.progress(2.0, 3.0, "second");
    "done".into()
}

/// Lets go of its client before it waits, and after it has told something.
#[mcp::tool]
pub async fn polled(wait: u64, ctx: &Context) -> String {
    ctx.close_stream();
    tokio::time::sleep(Duration::from_millis(wait)).await;
    ctx.progress(1.0, 2.0, "first");
    ctx.close_stream();
    tokio::time::sleep(Duration::from_millis(wait)).await;
    "done".into()
}

/// Tells how far it is, and is done at once.
#[mcp::tool]
pub async fn quick_steps(ctx: &Context) -> String {
    ctx.progress(1.0, 1.0, "only");
    "done".into()
}

/// Panics.
#[mcp::tool]
pub async fn boom() -> String {
    panic!("the secret is 42");
}

/// Asks before it does anything.
#[mcp::tool]
pub async fn confirm(ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit::<bool>("Really?").await?;
    Ok(format!("{answer:?}"))
}

/// Returns the principal.
#[mcp::tool]
pub async fn whoami(ctx: &Context) -> String {
    ctx.principal().map_or("nobody".into(), |principal| principal.id().to_owned())
}

/// Says that the note has changed.
#[mcp::tool]
pub async fn touch(ctx: &Context) -> String {
    ctx.notify_resource_updated("note://one");
    "touched".into()
}

/// A note.
#[mcp::resource("note://one")]
pub fn note() -> String {
    "one".into()
}

/// A prompt.
#[mcp::prompt]
pub fn greet(name: &str) -> String {
    format!("Greet {name}.")
}

pub fn app() -> App {
    app_with(Seen::default())
}

pub fn app_with(seen: Seen) -> App {
    App::empty("http")
        .tool::<add>()
        .tool::<double>()
        .tool::<echo>()
        .tool::<echo_later>()
        .tool::<talk>()
        .tool::<much>()
        .tool::<much_later>()
        .tool::<route>()
        .tool::<sleep>()
        .tool::<steps>()
        .tool::<quick_steps>()
        .tool::<polled>()
        .tool::<boom>()
        .tool::<confirm>()
        .tool::<whoami>()
        .tool::<touch>()
        .resource::<note>()
        .prompt::<greet>()
        .state(seen)
}
