//! Apps under a clock that is paused until all tasks wait for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastmcp_rs::prelude::*;
use serde_json::json;
use tokio::sync::Barrier;

/// Sleeps longer than it may.
#[mcp::tool(timeout = "10s")]
async fn too_slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(30)).await;
    "slept"
}

/// Sleeps as long as it may.
#[mcp::tool(timeout = "1h")]
async fn slow(seconds: u64) -> u64 {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    seconds
}

/// Works on a thread, for a while.
#[mcp::tool(timeout = "10s")]
fn work(ms: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(ms));
    ms
}

/// Works on a thread, for a while, then sleeps.
#[mcp::tool(blocking, timeout = "40s")]
async fn work_and_sleep(ms: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(ms));
    tokio::time::sleep(Duration::from_secs(30)).await;
    ms
}

/// Waits for another call.
#[mcp::tool]
async fn meet(barrier: State<Arc<Barrier>>) -> bool {
    barrier.wait().await.is_leader()
}

fn app() -> App {
    App::empty("clock").tool::<too_slow>().tool::<slow>().tool::<work>().tool::<work_and_sleep>()
}

#[tokio::test(start_paused = true)]
async fn a_timeout_elapses_at_once_with_a_paused_clock() {
    let begin = Instant::now();
    let client = app().test_client().await.unwrap();
    let reply = client.call("too_slow", json!({})).await.unwrap();
    assert!(reply.is_error());
    assert_eq!(reply.text(), "`too_slow` timed out after 10s.");
    assert_eq!(client.call("slow", json!({"seconds": 3_000})).await.unwrap().text(), "3000");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_paused_clock_stops_while_a_thread_works() {
    let begin = tokio::time::Instant::now();
    let client = app().test_client().await.unwrap();
    assert_eq!(client.call("work", json!({"ms": 100})).await.unwrap().text(), "100");
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(client.call("work_and_sleep", json!({"ms": 100})).await.unwrap().text(), "100");
    assert_eq!(begin.elapsed().as_secs(), 30);
    // Also when it is asked for while others sleep.
    let (sleep, work) =
        tokio::join!(client.call("slow", json!({"seconds": 5})), client.call("work", json!({"ms": 100})));
    assert_eq!((sleep.unwrap().text(), work.unwrap().text()), ("5".into(), "100".into()));
}

#[tokio::test(start_paused = true)]
async fn a_client_can_have_several_calls_in_flight() {
    let client = App::empty("pair").tool::<meet>().state(Arc::new(Barrier::new(2))).test_client().await.unwrap();
    let (one, other) = tokio::join!(client.call("meet", json!({})), client.call("meet", json!({})));
    let mut leaders = [one.unwrap().text(), other.unwrap().text()];
    leaders.sort();
    assert_eq!(leaders, ["false", "true"]);

    // One that was begun and is not polled any more does not hold up the others.
    let mut first = client.call("meet", json!({}));
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut first).await.is_err());
    let second = client.call("meet", json!({})).await.unwrap();
    assert_ne!(first.await.unwrap().text(), second.text());
}
