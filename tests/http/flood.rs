//! Floods of clients that begin sessions and never use them.
//!
//! `FLOOD_SECONDS` sets the duration; CONTRIBUTING.md has the long run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Request, Server, call};
use super::processes::Process;
use super::support::Revision;

/// The handshakes per second, globally and per connection.
const RATE: u32 = 2_000;
const CONNECTIONS: u32 = 4;
/// The memory that a server may take beyond its start.
const MORE: usize = 64 << 20;

fn seconds() -> f64 {
    match std::env::var("FLOOD_SECONDS") {
        Ok(seconds) => seconds.parse().expect("FLOOD_SECONDS is a number"),
        Err(_) if cfg!(debug_assertions) => 4.0,
        Err(_) => 30.0,
    }
}

/// A handshake that says as much of its client as it may, in as little text as possible.
fn fat() -> Request {
    let mut initialize: Value = serde_json::from_str(&Revision::V2025_11_25.initialize(1)).unwrap();
    let much = json!(vec![json!([]); 20_000]);
    initialize["params"]["capabilities"]["experimental"] = much.clone();
    initialize["params"]["clientInfo"]["x"] = much;
    Request::post(initialize.to_string())
}

/// Floods a server, and reports how a well-behaved client fares.
async fn flood(what: &str, request: Request) {
    let process = Process::start("everything", &["--http", "127.0.0.1:0"]);
    let address = process.server.address;
    let server = Server::at(address);
    for _ in 0..100 {
        assert_eq!(server.send(&Request::post(Revision::V2025_11_25.initialize(1))).await.status, 200);
    }
    let before = process.memory();
    let is_over = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicUsize::new(0));
    let bytes: Arc<[u8]> = request.bytes().into();
    let flooding: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (is_over, sent, bytes) = (Arc::clone(&is_over), Arc::clone(&sent), Arc::clone(&bytes));
            tokio::spawn(async move {
                let mut connection = Server::at(address).connect().await;
                let mut pace = tokio::time::interval(Duration::from_secs(1) * CONNECTIONS / RATE);
                while !is_over.load(Ordering::Relaxed) {
                    pace.tick().await;
                    connection.write(&bytes).await;
                    let response = connection.response().await.expect("the connection lives");
                    assert!(matches!(response.status, 200 | 503), "{}", response.text());
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut good = server.connect().await;
    let start = Instant::now();
    let (mut most, mut times) = (before, Vec::new());
    while start.elapsed().as_secs_f64() < seconds() {
        let asked = Instant::now();
        good.write(&call(1, "test_simple_text", json!({})).bytes()).await;
        assert_eq!(good.response().await.expect("the connection lives").status, 200);
        times.push(asked.elapsed());
        most = most.max(process.memory());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = start.elapsed().as_secs_f64();
    is_over.store(true, Ordering::Relaxed);
    for task in flooding {
        task.await.unwrap();
    }
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    let sent = sent.load(Ordering::Relaxed);
    let mib = |bytes: usize| bytes as f64 / (1 << 20) as f64;
    println!(
        "flood: {sent} {what} handshakes in {took:.0} s, {:.0} a second; memory from {:.1} to {:.1} MiB; \
         a good client's p99 {p99:?}",
        sent as f64 / took,
        mib(before),
        mib(most),
    );
    assert!(most <= before + MORE, "{:.1} MiB", mib(most));
    assert!(p99 < Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 100 }), "{p99:?}");
}

/// GHSA-9pj6-vhgr-3mwh: unused sessions take a bounded amount of memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ghsa_9pj6_vhgr_3mwh_a_flood_of_handshakes_takes_bounded_memory() {
    flood("thin", Request::post(Revision::V2025_11_25.initialize(1))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_clients_with_large_handshakes_takes_bounded_memory() {
    flood("fat", fat()).await;
}
