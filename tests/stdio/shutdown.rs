//! Shutdown: at the end of the input, by a signal, without a client, and while calls run, block or wait.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::limits::{with_no_place, with_text};
use crate::messages::{MIB, call, call_line, echo, legacy_call, signal};
use crate::support::client::{PATIENCE, example};
use crate::support::{Revision, Server};

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
fn a_second_signal_ends_a_server_with_blocked_workers() {
    let mut server = with_blocked_workers();
    signal(&server, Signal::TERM);
    thread::sleep(Duration::from_millis(100));
    assert!(server.is_running(), "the first one waits for the calls");
    signal(&server, Signal::TERM);
    server.wait_within(Duration::from_secs(4));
}

#[test]
fn a_blocked_server_ends_with_its_client() {
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
fn a_reader_that_waits_for_a_slow_client_does_not_end_the_server() {
    const BYTES: usize = 4_000_000;
    let mut server = Server::setup("fixture").without_reading().start();
    // All is sent at once and the input ended, and each answer takes more than six seconds to be read: the
    // last request is not looked at for longer than a handler may be stuck.
    let requests: Vec<String> = (0..3).map(|id| call_line(id, "big", json!({"bytes": BYTES}))).collect();
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
    server.send_unnoted(call_line(1, "late_big", json!({"bytes": 6_000_000})).as_bytes());
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
fn a_program_continues_after_it_drops_its_server() {
    let setup = Server::setup("fixture").env("FIXTURE_DROP_MS", "300").env("FIXTURE_LINGER_MS", "1500");
    let mut server = setup.start();
    server.wait_for_stderr("the server has returned");
    let _ = server.try_send(call_line(1, "leave_trace", json!({})).as_bytes());
    server.close_input();
    assert!(server.wait().success());
    let stderr = server.final_stderr();
    assert!(stderr.contains("the program has ended by itself"), "{stderr}");
    assert!(!stderr.contains("a trace was left"), "{stderr}");
}

#[test]
fn a_slow_client_gets_every_response_after_the_end_of_input() {
    // More than is read in the grace period and the outbox holds.
    const CALLS: usize = 44;
    const BYTES: usize = 500_000;
    let mut server = Server::setup("fixture").without_reading().start();
    for id in 0..CALLS {
        let tool = ["blocking_big", "late_big"][id % 2];
        server.send_unnoted(call_line(id, tool, json!({"bytes": BYTES})).as_bytes());
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
fn a_batch_at_the_end_of_input_gets_its_response() {
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
fn no_tool_runs_once_the_server_has_returned() {
    let mut server = Server::setup("fixture").env("FIXTURE_LINGER_MS", "1500").start();
    server.call("leave_trace", json!({}));
    server.wait_for_stderr("a trace was left");
    signal(&server, Signal::TERM);
    server.wait_for_stderr("the server has returned");
    let late = call_line(5, "leave_trace", json!({}));
    for _ in 0..3 {
        let _ = server.try_send(late.as_bytes());
        thread::sleep(Duration::from_millis(100));
    }
    server.wait();
    assert_eq!(server.final_stderr().matches("a trace was left").count(), 1);
}

#[test]
fn an_idle_server_ends_with_its_input() {
    let took = (0..5).map(|_| {
        let mut server = Server::start("hello");
        server.exchange(&call(1, "hello", json!({"name": "x"})));
        server.close_input();
        let start = Instant::now();
        assert!(server.wait().success());
        start.elapsed()
    });
    let best = took.min().expect("five of them");
    assert!(best < Duration::from_millis(100), "{best:?}");
}

#[test]
fn signals_end_an_idle_server_at_once() {
    for kind in [Signal::TERM, Signal::INT] {
        let took = (0..5).map(|_| {
            let mut server = Server::start("hello");
            server.exchange(&call(1, "hello", json!({"name": "x"})));
            let start = Instant::now();
            signal(&server, kind);
            let status = server.wait();
            assert!(status.success(), "{status}");
            start.elapsed()
        });
        let best = took.min().expect("five of them");
        assert!(best < Duration::from_millis(200), "{best:?}");
    }
}

#[test]
fn calls_in_flight_are_finished_first() {
    for ending in [None, Some(Signal::TERM), Some(Signal::INT)] {
        let mut server = Server::start("fixture");
        let id = server.begin_call("sleep_ms", json!({"ms": 400}));
        let blocked = server.begin_call("block_ms", json!({"ms": 400}));
        server.call("echo", json!({"text": "both have begun"}));
        match ending {
            None => server.close_input(),
            Some(kind) => signal(&server, kind),
        }
        assert_eq!(server.answer_to(&id).content_text(), "400");
        assert_eq!(server.answer_to(&blocked).content_text(), "400");
        assert!(server.wait().success());
        assert!(server.next().is_none());
    }
}

#[test]
fn queued_calls_are_finished_first() {
    // More than run at a time, all of them sent before the input ends.
    const CALLS: u64 = 600;
    let mut server = Server::start("fixture");
    let lines: Vec<String> = (0..CALLS).map(|n| call(n, "sleep_ms", json!({"ms": n % 40})) + "\n").collect();
    server.send_bytes(lines.concat().as_bytes());
    server.close_input();
    for n in 0..CALLS {
        assert_eq!(server.answer_to(&n.to_string()).content_text(), (n % 40).to_string());
    }
    assert!(server.next().is_none());
    assert!(server.wait().success());
}

#[test]
fn calls_that_never_end_get_a_grace_period() {
    for ending in [None, Some(Signal::TERM)] {
        let mut server = Server::start("fixture");
        server.begin_call("wait_forever", json!({}));
        server.begin_call("block_ms", json!({"ms": 600_000}));
        server.call("echo", json!({"text": "both have begun"}));
        let start = Instant::now();
        match ending {
            None => server.close_input(),
            Some(kind) => signal(&server, kind),
        }
        server.wait_within(Duration::from_secs(10));
        let took = start.elapsed();
        assert!(took > Duration::from_secs(4) && took < Duration::from_secs(8), "{took:?}");
    }
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let mut server = Server::start("fixture");
    server.begin_call("wait_forever", json!({}));
    server.call("echo", json!({"text": "it has begun"}));
    signal(&server, Signal::TERM);
    thread::sleep(Duration::from_millis(300));
    assert!(server.is_running(), "the first one waits for the call");
    let start = Instant::now();
    signal(&server, Signal::TERM);
    server.wait();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_server_ends_when_its_client_is_gone() {
    let mut server = Server::setup("fixture").without_reading().start();
    drop(server.take_output());
    for n in 0..3 {
        server.note(echo(n, "x").as_bytes());
        // It may have ended at the first of them.
        let _ = server.try_send((echo(n, "x") + "\n").as_bytes());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(server.wait_within(Duration::from_secs(8)).success(), "that is how every server ends");
    let stderr = server.final_stderr();
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_server_ends_when_its_parent_is_gone() {
    // The shell starts the server and dies, while this test keeps the pipes open.
    let mut command = Command::new("sh");
    command.args(["-c", "exec 3<&0; \"$0\" <&3 & sleep 0.5"]).arg(example("fixture"));
    let mut server = Server::command(command).start();
    server.exchange(&echo(1, "x"));
    server.wait();
    let start = Instant::now();
    // The end of the output is the end of the server, which has no parent here.
    assert!(server.next().is_none());
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
}

#[test]
fn many_servers_start_and_stop() {
    for round in 0..20 {
        let mut server = Server::start("hello");
        if round % 2 == 0 {
            server.exchange(&call(1, "hello", json!({"name": "x"})));
        }
        if round % 3 == 0 {
            signal_when_ready(&mut server);
        } else {
            server.close_input();
        }
        assert!(server.wait_within(PATIENCE).success(), "round {round}");
    }
}

fn signal_when_ready(server: &mut Server) {
    // Before it has installed its handlers, the signal's default action would end it.
    server.exchange(&Revision::NEWEST.request("ready", "server/discover", Value::Null));
    signal(server, Signal::TERM);
}
