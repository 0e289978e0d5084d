//! What once went wrong in the runtime: the server that outlived its client, the lost answer, the memory
//! that a peer could make grow. Each test names what must hold.

use std::io::{BufRead, BufReader, Read};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Revision, Server};

const MIB: usize = 1 << 20;

fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> String {
    Revision::NEWEST.request(id, "tools/call", json!({"name": tool, "arguments": arguments})) + "\n"
}

fn legacy_call(id: i64, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

fn cancelled(id: i64) -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}).to_string() + "\n"
}

fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid() as i32).expect("a process id");
    kill_process(pid, signal).expect("the server is there");
}

/// A server whose two workers are inside handlers that block, and have 60 seconds to do so.
fn with_blocked_workers() -> Server {
    let mut server = Server::start("fixture");
    for _ in 0..3 {
        // From now on the tool is known to be slow, and is not polled by the reader.
        server.call("hog", json!({"ms": 150}));
    }
    for _ in 0..4 {
        server.begin_call("hog", json!({"ms": 60_000}));
    }
    thread::sleep(Duration::from_millis(300));
    server.assert_quiet();
    server
}

#[test]
fn blocked_workers_do_not_keep_a_server_that_is_asked_to_stop_twice() {
    let mut server = with_blocked_workers();
    signal(&server, Signal::TERM);
    thread::sleep(Duration::from_millis(100));
    assert!(server.is_running(), "the first one waits for the calls");
    signal(&server, Signal::TERM);
    server.wait_within(Duration::from_secs(4));
}

/// The calls that have every place.
const PLACES: std::ops::Range<i64> = 10_000..10_256;

/// A server with every place taken by calls that take a minute.
fn with_no_place() -> Server {
    let mut server = Server::connect("fixture", Revision::V2025_11_25);
    let calls: Vec<String> =
        PLACES.map(|id| legacy_call(id, "hold", json!({"ms": 60_000})).to_string() + "\n").collect();
    server.send_bytes(calls.concat().as_bytes());
    server
}

fn with_text(id: i64, bytes: usize) -> String {
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
fn a_server_ends_with_its_client_whatever_holds_it_up() {
    let mut blocked_workers = with_blocked_workers();
    let mut blocked_reader = Server::start("fixture");
    blocked_reader.begin_call("hog", json!({"ms": 60_000}));
    let mut waiting_calls = with_no_place();
    for id in 1_000..1_012 {
        waiting_calls.send_unnoted(with_text(id, MIB).as_bytes());
    }
    thread::sleep(Duration::from_millis(200));
    let servers = [&mut blocked_workers, &mut blocked_reader, &mut waiting_calls];
    let start = Instant::now();
    for server in servers {
        server.close_input();
    }
    // Five seconds for the calls, and up to seven until it is plain that the reader is stuck.
    blocked_workers.wait_within(Duration::from_secs(9));
    waiting_calls.wait_within(Duration::from_secs(9).saturating_sub(start.elapsed()));
    blocked_reader.wait_within(Duration::from_secs(12).saturating_sub(start.elapsed()));
}

#[test]
fn calls_that_find_no_room_to_wait_are_refused() {
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
fn a_log_that_goes_to_stdout_does_not_feed_itself() {
    let mut server = Server::setup("fixture").env("FIXTURE_STDOUT", "log").env("FIXTURE_LOG", "stdout").start();
    server.call("noisy", json!({"round": 0}));
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(server.call("noisy", json!({"round": 8})).content_text(), "8");
    // A failure is an event of ours, and so goes to stdout and from there to the log, once.
    server.call("fail_foreign", json!({}));
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(8)).success());
    let stderr = server.final_stderr();
    for text in ["println! of round 0", "println! of round 8", "secret-canary"] {
        assert_eq!(stderr.matches(text).count(), 1, "{text:?} in\n{stderr}");
    }
}

#[test]
fn a_destructor_that_panics_costs_neither_the_answer_nor_the_place() {
    let mut server = Server::start("fixture");
    let answer = server.exchange(&call(1, "late_bomb", json!({})));
    assert!(answer.is_tool_error() && answer.content_text().contains("timed out"), "{}", answer.text);
    assert_eq!(server.exchange(&call(1, "echo", json!({"text": "again"}))).content_text(), "again");
    for id in 100..400 {
        server.send_unnoted(call(id, "bomb", json!({})).as_bytes());
        server.send_unnoted(cancelled(id).as_bytes());
    }
    assert_eq!(server.call("sleep_ms", json!({"ms": 1})).content_text(), "1", "there is a place");
    server.assert_quiet();
    let start = Instant::now();
    server.close_input();
    assert!(server.wait().success());
    assert!(start.elapsed() < Duration::from_secs(3), "no call is left: {:?}", start.elapsed());
}

#[test]
fn values_that_panic_when_dropped_cost_no_thread() {
    let mut server = Server::start("fixture");
    // There are 64 threads; each of these calls has one when it is cancelled, or is still to have one.
    for round in 0..2 {
        for id in 0..64 {
            server.send_unnoted(call(id, "thread_bomb", json!({"ms": 100})).as_bytes());
        }
        thread::sleep(Duration::from_millis(60));
        for id in 0..64 {
            server.send_unnoted(cancelled(id).as_bytes());
        }
        assert_eq!(server.call("block_ms", json!({"ms": round})).content_text(), round.to_string());
    }
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(8)).success());
}

/// Reads 60,000 bytes at a time, after a pause.
fn slowly(output: Box<dyn Read + Send>, pause: Duration) -> impl BufRead {
    struct Slow(Box<dyn Read + Send>, Duration);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            thread::sleep(self.1);
            let most = buffer.len().min(60_000);
            self.0.read(&mut buffer[..most])
        }
    }
    BufReader::with_capacity(60_000, Slow(output, pause))
}

#[test]
fn a_reader_that_waits_for_a_slow_client_is_not_taken_for_stuck() {
    const BYTES: usize = 4_000_000;
    let mut server = Server::setup("fixture").without_reading().start();
    // All is sent at once and the input ended, and each answer takes more than six seconds to be read: the
    // last request is not looked at for longer than a handler may be stuck.
    let requests: Vec<String> = (0..3).map(|id| call(id, "big", json!({"bytes": BYTES}))).collect();
    server.send_unnoted(requests.concat().as_bytes());
    server.close_input();
    let answers = slowly(server.take_output(), Duration::from_millis(100)).lines();
    let lengths: Vec<usize> = answers.map(|line| line.expect("UTF-8").len()).collect();
    assert!(lengths.len() == 3 && lengths.iter().all(|length| *length > BYTES), "{lengths:?}");
    assert!(server.wait().success());
}

#[test]
fn a_signal_ends_a_server_whose_client_reads_slowly() {
    let mut server = Server::setup("fixture").without_reading().start();
    server.send_unnoted(call(1, "late_big", json!({"bytes": 6_000_000})).as_bytes());
    server.close_input();
    let output = slowly(server.take_output(), Duration::from_millis(200));
    let reader = thread::spawn(move || output.lines().count());
    thread::sleep(Duration::from_millis(700));
    assert!(server.is_running(), "its client is still reading");
    signal(&server, Signal::TERM);
    thread::sleep(Duration::from_millis(50));
    signal(&server, Signal::TERM);
    server.wait_within(Duration::from_secs(4));
    reader.join().expect("the reader ends with the server");
}

#[test]
fn a_program_that_drops_its_server_goes_on() {
    let setup = Server::setup("fixture").env("FIXTURE_DROP_MS", "300").env("FIXTURE_LINGER_MS", "1500");
    let mut server = setup.start();
    server.wait_for_stderr("the server has returned");
    let _ = server.try_send(call(1, "leave_trace", json!({})).as_bytes());
    server.close_input();
    assert!(server.wait().success());
    let stderr = server.final_stderr();
    assert!(stderr.contains("the program has ended by itself"), "{stderr}");
    assert!(!stderr.contains("a trace was left"), "{stderr}");
}

#[test]
fn a_slow_reader_gets_every_answer_after_the_end_of_input() {
    // More than is read in the grace period and the outbox holds.
    const CALLS: usize = 44;
    const BYTES: usize = 500_000;
    let mut server = Server::setup("fixture").without_reading().start();
    for id in 0..CALLS {
        let tool = ["blocking_big", "late_big"][id % 2];
        server.send_unnoted(call(id, tool, json!({"bytes": BYTES})).as_bytes());
    }
    server.close_input();
    // 1.5 MB in a second: calls that have ended long ago wait for room when the grace period is over.
    let output = slowly(server.take_output(), Duration::from_millis(40));
    let mut ids: Vec<u64> = output
        .lines()
        .map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("a whole frame"))
        .map(|frame: Value| {
            assert_eq!(frame["result"]["content"][0]["text"].as_str().map(str::len), Some(BYTES));
            frame["id"].as_u64().expect("an answer")
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..CALLS as u64).collect::<Vec<_>>());
    assert!(server.wait().success());
}

#[test]
fn a_batch_is_answered_also_when_the_input_ends_with_its_last_call() {
    for round in 0..15 {
        let mut server = Server::connect("fixture", Revision::V2025_03_26);
        let calls: Vec<Value> = (0..100).map(|id| legacy_call(id, "sleep_ms", json!({"ms": 5 + id / 20}))).collect();
        server.send(&Value::from(calls).to_string());
        server.close_input();
        let answers = server.receive();
        assert_eq!(answers.value.as_array().map(Vec::len), Some(100), "in round {round}");
        assert!(server.next().is_none());
        assert!(server.wait().success());
    }
}

#[test]
fn cancelled_calls_leave_the_queue_for_threads() {
    let mut server = Server::start("fixture");
    for id in 0..64 {
        server.send(call(id, "hold_thread", json!({"ms": 60_000})).trim_end());
    }
    server.assert_quiet();
    let before = server.resident();
    let text = "x".repeat(MIB);
    for id in 1_000..1_100 {
        server.send_unnoted(call(id, "hold_thread", json!({"ms": 1, "text": text})).as_bytes());
        server.send_unnoted(cancelled(id).as_bytes());
    }
    server.assert_quiet();
    // The tasks of the last of them may have to be run yet.
    thread::sleep(Duration::from_millis(500));
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 40 * 1024, "100 cancelled calls of 1 MiB left {grown} KiB");
}

#[test]
fn answers_that_a_batch_keeps_are_bounded() {
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
        // Three of them have places until they end, the others wait.
        let grown = kept.saturating_sub(before);
        assert!(grown < 140 * 1024, "{tool}: ten batches of 20 MB keep {grown} KiB");
    }
}

#[test]
fn a_batch_of_too_many_messages_is_refused_before_they_are_kept() {
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
fn an_async_tool_on_a_thread_is_dropped_when_it_times_out() {
    let mut server = Server::start("fixture");
    let answer = server.call("outlive", json!({}));
    assert!(answer.is_tool_error() && answer.content_text().contains("timed out"), "{}", answer.text);
    let start = Instant::now();
    server.wait_for_stderr("outlive was dropped");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn nothing_is_called_once_the_server_has_returned() {
    let mut server = Server::setup("fixture").env("FIXTURE_LINGER_MS", "1500").start();
    server.call("leave_trace", json!({}));
    server.wait_for_stderr("a trace was left");
    signal(&server, Signal::TERM);
    server.wait_for_stderr("the server has returned");
    let late = call(5, "leave_trace", json!({}));
    for _ in 0..3 {
        let _ = server.try_send(late.as_bytes());
        thread::sleep(Duration::from_millis(100));
    }
    server.wait();
    assert_eq!(server.final_stderr().matches("a trace was left").count(), 1);
}

#[test]
fn an_oversized_message_is_never_answered_under_another_id() {
    let mut server = Server::setup("fixture").env("FIXTURE_MAX_LINE", "8192").start();
    // The part that is looked at ends inside the number.
    let head = r#"{"jsonrpc":"2.0","#;
    let space = " ".repeat(4096 - head.len() - r#""id":12"#.len());
    let tail = format!(r#"34,"method":"x","params":"{}"}}"#, "y".repeat(8192));
    server.send_unnoted(format!("{head}{space}\"id\":12{tail}\n").as_bytes());
    let answer = server.receive();
    assert_eq!((answer.error_code(), answer.id()), (Some(-32600), None), "{}", answer.text);

    server.note(br#"{"id":1234,"method":"x"}"#);
    server.send_unnoted(format!("{head}\"id\":12{tail}\n").as_bytes());
    let answer = server.receive();
    assert_eq!((answer.error_code(), answer.id()), (Some(-32600), Some("1234")), "{}", answer.text);
}

#[test]
fn a_response_that_cannot_be_read_is_not_answered() {
    let mut server = Server::setup("fixture").env("FIXTURE_MAX_LINE", "8192").start();
    let long = "y".repeat(9_000);
    let deep = "[".repeat(100) + &"]".repeat(100);
    // The client may have asked something under the very same id.
    for response in [
        format!(r#"{{"jsonrpc":"2.0","id":5,"result":{{"text":"{long}"}}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":5,"error":{{"code":1,"message":"{long}"}}}}"#),
        format!(r#"{{"jsonrpc":"2.0","result":{{"text":"{long}"}},"id":5}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":5,"result":{{"deep":{deep}}}}}"#),
        format!(r#"{{"jsonrpc":"2.0","result":{{"deep":{deep}}},"id":5}}"#),
    ] {
        server.send_unnoted(response.as_bytes());
        server.send_unnoted(b"\n");
        server.assert_quiet();
    }
}
