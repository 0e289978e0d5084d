//! Limits of calls and of memory: queues, batches, and clients that read slowly.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::messages::{MIB, call, call_line, cancelled, echo, legacy_call};
use crate::support::{Revision, Server};

/// The ids of the calls that hold every permit.
pub const PLACES: std::ops::Range<i64> = 10_000..10_256;

/// A server whose every permit is held by calls that take a minute.
pub fn with_no_place() -> Server {
    let mut server = Server::connect("fixture", Revision::V2025_11_25);
    let calls: Vec<String> =
        PLACES.map(|id| legacy_call(id, "hold", json!({"ms": 60_000})).to_string() + "\n").collect();
    server.send_bytes(calls.concat().as_bytes());
    server
}

pub fn with_text(id: i64, bytes: usize) -> String {
    legacy_call(id, "hold", json!({"ms": 1, "text": "x".repeat(bytes)})).to_string() + "\n"
}

#[test]
fn pings_and_cancellations_are_read_while_megabytes_of_calls_wait() {
    let mut server = with_no_place();
    for id in 1_000..1_012 {
        server.send_bytes(with_text(id, MIB).as_bytes());
    }
    let start = Instant::now();
    server.ask("ping", Value::Null);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    for id in PLACES {
        server.send_unnoted(cancelled(id).as_bytes());
    }
    for id in 1_000..1_012 {
        assert_eq!(server.answer_to(&id.to_string()).content_text(), MIB.to_string());
    }
    assert!(start.elapsed() < Duration::from_secs(20), "the places were free: {:?}", start.elapsed());
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(4)).success());
}

#[test]
fn calls_beyond_the_memory_of_the_queue_are_refused() {
    let mut server = with_no_place();
    // Four of these are less than 64 MiB, and five are more.
    for id in 1_000..1_005 {
        server.send_bytes(with_text(id, 15 * MIB).as_bytes());
    }
    let refused = server.answer_to("1004");
    assert_eq!(refused.error_code(), Some(-32603), "{}", refused.text);
    server.send_bytes(with_text(1_005, 100).as_bytes());
    for id in PLACES.chain(1_000..1_004) {
        server.send_unnoted(cancelled(id).as_bytes());
    }
    assert_eq!(server.answer_to("1005").content_text(), "100", "there was room for a short one");
    server.assert_quiet();
}

#[test]
fn cancelled_calls_leave_the_queue_for_threads() {
    let mut server = Server::start("fixture");
    for id in 0..64 {
        server.send(call_line(id, "hold_thread", json!({"ms": 300_000})).trim_end());
    }
    server.assert_quiet();
    let before = server.resident();
    let text = "x".repeat(MIB);
    for id in 1_000..1_100 {
        server.send_unnoted(call_line(id, "hold_thread", json!({"ms": 1, "text": text})).as_bytes());
        server.send_unnoted(cancelled(id).as_bytes());
    }
    server.assert_quiet();
    // The tasks of the last of them may have to be run yet.
    thread::sleep(Duration::from_millis(500));
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 40 * 1024, "100 cancelled calls of 1 MiB left {grown} KiB");
}

#[test]
fn responses_held_by_batches_are_bounded() {
    // Answers that are ready at once, and answers that come.
    for tool in ["big", "blocking_big"] {
        let mut server = Server::connect("fixture", Revision::V2025_03_26);
        let before = server.resident();
        for batch in 1..11 {
            let first = batch * 1_000;
            let mut calls = vec![legacy_call(first, "hold", json!({"ms": 60_000}))];
            calls.extend((1..100).map(|n| legacy_call(first + n, tool, json!({"bytes": 200_000}))));
            server.send_unnoted((Value::from(calls).to_string() + "\n").as_bytes());
            // All but the first of them end meanwhile.
            thread::sleep(Duration::from_millis(200));
        }
        server.ask("ping", Value::Null);
        let mut kept = server.resident();
        loop {
            thread::sleep(Duration::from_millis(400));
            let now = server.resident();
            if now < kept + 1024 {
                break;
            }
            kept = now;
        }
        // Three of them have permits until they end, the others wait.
        let grown = kept.saturating_sub(before);
        assert!(grown < 140 * 1024, "{tool}: ten batches of 20 MB keep {grown} KiB");
    }
}

#[test]
fn a_batch_of_too_many_messages_is_refused_without_storing_them() {
    let mut server = Server::connect("fixture", Revision::V2025_03_26);
    let messages = |count: usize| format!("[{}1]\n", "1,".repeat(count - 1));
    server.send_unnoted(messages(101).as_bytes());
    assert_eq!(server.receive().error_code(), Some(-32600));
    let before = server.resident();
    server.send_unnoted(messages(7_900_000).as_bytes());
    assert_eq!(server.receive().error_code(), Some(-32600));
    let grown = server.peak().saturating_sub(before);
    assert!(grown < 64 * 1024, "a line of 16 MB cost {grown} KiB");
}

#[test]
fn an_idle_server_releases_the_memory_of_large_messages() {
    let mut server = Server::start("fixture");
    server.exchange(&echo(1, "x"));
    let before = server.resident();
    server.exchange(&echo(2, &"x".repeat(12 << 20)));
    let most = server.resident() - before;
    assert!(most > 16 << 10, "the rest of the test would show nothing: {most} KiB");
    let start = Instant::now();
    // Memory that the allocator keeps is not counted.
    while server.resident() - before > 6 << 10 {
        assert!(start.elapsed() < Duration::from_secs(30), "{} KiB are kept", server.resident() - before);
        thread::sleep(Duration::from_millis(50));
    }
}

/// Sends requests that the client does not read the answers of, until the server takes no more; then
/// reads them all. Returns how many requests were taken unread, and what that cost in KiB.
fn read_late(lines: Vec<String>, bytes: usize) -> (usize, u64) {
    let mut server = Server::setup("fixture").without_reading().start();
    for line in &lines {
        server.note(line.as_bytes());
    }
    let calls = lines.len();
    thread::sleep(Duration::from_millis(100));
    let before = server.resident();
    let mut input = server.take_input();
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let writer = thread::spawn(move || {
        for line in lines {
            input.write_all(line.as_bytes()).expect("the server reads");
            counter.fetch_add(1, Ordering::Relaxed);
        }
        // Open until the end: after the input, a server does not wait for its reader for ever.
        input
    });
    // It reads until its queues are full, and then no further.
    let mut taken = usize::MAX;
    loop {
        thread::sleep(Duration::from_millis(400));
        let now = sent.load(Ordering::Relaxed);
        if now == taken {
            break;
        }
        taken = now;
    }
    let grown = server.resident().saturating_sub(before);
    server.start_reading();
    for n in 0..calls {
        assert_eq!(server.answer_to(&n.to_string()).content_text().len(), bytes);
    }
    drop(writer.join().expect("everything was sent"));
    (taken, grown)
}

#[test]
fn a_slow_client_takes_bounded_memory_and_loses_no_response() {
    let text = "x".repeat(8_000);
    let (taken, grown) = read_late((0..8_000).map(|n| echo(n, &text) + "\n").collect(), 8_000);
    assert!(taken < 8_000, "the server swallowed everything");
    // Beside what waits to be written there are the calls in flight and what the allocator keeps of them.
    assert!(grown < 40 * 1024, "a client that does not read cost {grown} KiB");
}

#[test]
fn late_responses_to_a_slow_client_take_bounded_memory_and_are_not_lost() {
    // Small requests, many of which may wait, whose responses come from tasks and threads: 64 MiB in total.
    for tool in ["late_big", "blocking_big"] {
        let lines = (0..2_000).map(|n| call(n, tool, json!({"bytes": 32_000})) + "\n").collect();
        let (_, grown) = read_late(lines, 32_000);
        assert!(grown < 40 * 1024, "{tool}: a client that does not read cost {grown} KiB");
    }
}
