//! Start and shutdown of an app as a process.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::client::{Setup, example};
use crate::support::{Revision, Server};

/// A server whose end takes so long.
fn ending(milliseconds: u32) -> Server {
    let mut server = Server::setup("fixture").env("FIXTURE_END_MS", milliseconds.to_string()).start();
    server.open(Revision::NEWEST);
    server.call("add", json!({"a": 1, "b": 2}));
    server
}

fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid().try_into().unwrap()).unwrap();
    kill_process(pid, signal).expect("the server is there");
}

#[test]
fn requests_during_the_start_are_served_after_it() {
    // Text printed meanwhile goes to standard error, as always.
    let mut server = Server::setup("fixture").env("FIXTURE_STATE_MS", "300").start();
    server.open(Revision::NEWEST);
    let start = Instant::now();
    assert!(server.ask("tools/list", Value::Null).result()["tools"].is_array());
    assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
    server.wait_for_stderr("the state is made");
}

#[test]
fn a_state_that_fails_ends_the_process_with_its_reason() {
    let mut server = Server::setup("fixture").env("FIXTURE_STATE_FAILS", "the disk is full").start();
    assert!(!server.wait().success());
    let told = server.final_stderr();
    assert!(told.contains("Slow`: the disk is full"), "{told}");
}

/// A server that makes a state for longer than any test waits.
fn starting(setting: &str, setup: impl FnOnce(Setup) -> Setup) -> Server {
    let server = setup(Server::setup("fixture").env(setting, "60000")).start();
    server.wait_for_stderr("the state");
    server
}

const HANGING: [&str; 2] = ["FIXTURE_STATE_MS", "FIXTURE_STATE_BLOCKS_MS"];

#[test]
fn a_server_whose_states_hang_ends_with_its_input() {
    for setting in HANGING {
        let mut server = starting(setting, |setup| setup);
        server.close_input();
        assert!(server.wait_within(Duration::from_secs(4)).success());
        // Node gives its children sockets, and ends them by closing one direction.
        let (ours, theirs) = UnixStream::pair().unwrap();
        let input = ours.try_clone().unwrap();
        let mut server = starting(setting, |setup| setup.input(OwnedFd::from(theirs), Some(input.into())));
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(server.wait_within(Duration::from_secs(4)).success());
    }
}

#[test]
fn a_server_whose_states_hang_ends_with_a_signal() {
    for (setting, kind) in HANGING.into_iter().flat_map(|setting| [(setting, Signal::TERM), (setting, Signal::HUP)]) {
        let mut server = starting(setting, |setup| setup);
        signal(&server, kind);
        assert!(server.wait_within(Duration::from_secs(4)).success());
    }
}

#[test]
fn a_server_whose_states_hang_ends_with_its_parent() {
    let mut command = Command::new("sh");
    command.args(["-c", "exec 3<&0; \"$0\" <&3 & sleep 0.5"]).arg(example("fixture"));
    let mut server = Server::command(command).env("FIXTURE_STATE_MS", "60000").start();
    server.wait();
    let start = Instant::now();
    // The end of the output is the end of the server, which has no parent here.
    assert!(server.next().is_none());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn requests_before_the_end_of_input_are_reached_within_five_seconds() {
    for (time, is_answered) in [("1500", true), ("60000", false)] {
        let mut server = Server::setup("fixture").env("FIXTURE_STATE_MS", time).start();
        server.wait_for_stderr("the state");
        server.begin("tools/list", Value::Null);
        let start = Instant::now();
        server.close_input();
        assert_eq!(server.next().is_some(), is_answered);
        assert!(server.wait_within(Duration::from_secs(9)).success());
        assert!(is_answered || start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    }
}

#[test]
fn a_panic_of_a_state_function_is_an_error() {
    for place in ["outer", "mounted"] {
        let mut server = Server::setup("fixture").env("FIXTURE_STATE_PANICS", place).start();
        assert_eq!(server.wait().code(), Some(1), "an unwinding `main` has another code");
        let told = server.final_stderr();
        for part in ["Error: cannot create the state `", "Slow`: the factory panicked: a state panics", "server.rs:"] {
            assert!(told.contains(part), "{told}");
        }
        let logged = told.lines().find(|line| line.contains("Slow` panicked: a state panics"));
        assert!(logged.is_some_and(|line| line.contains("server.rs:")), "{told}");
    }
}

#[test]
fn a_shutdown_function_that_panics_or_blocks_does_not_keep_the_process() {
    let mut server = Server::setup("fixture").env("FIXTURE_END_PANICS", "").env("FIXTURE_END_MS", "1").start();
    server.open(Revision::NEWEST);
    // Before it has started, there is no end of it.
    server.ask("server/discover", Value::Null);
    server.close_input();
    assert!(server.wait().success());
    let told = server.final_stderr();
    assert!(told.contains("`on_shutdown` panicked: the end panics, at "), "{told}");
    assert!(told.contains("the end is over"), "the other one runs: {told}");
    let mut server = Server::setup("fixture").env("FIXTURE_END_BLOCKS_MS", "60000").start();
    server.open(Revision::NEWEST);
    server.ask("server/discover", Value::Null);
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(15)).success());
}

#[test]
fn a_second_signal_ends_a_server_with_calls_and_a_long_shutdown() {
    let mut server = ending(60_000);
    server.begin_call("sleep_ms", json!({"ms": 60_000}));
    server.assert_quiet();
    signal(&server, Signal::TERM);
    thread::sleep(Duration::from_millis(100));
    assert!(server.is_running(), "the first one waits for the call");
    signal(&server, Signal::TERM);
    assert!(server.wait_within(Duration::from_secs(4)).success());
}

#[test]
fn a_call_that_waits_for_an_elicitation_ends_with_its_input() {
    let mut server = Server::start("elicitation");
    server.open_with(Revision::V2025_11_25, json!({"elicitation": {}}));
    let id = server.begin_call("book_flight", json!({"to": "Lyon"}));
    assert_eq!(server.receive().value["method"], "elicitation/create");
    let start = Instant::now();
    server.close_input();
    let answer = server.answer_to(&id);
    assert!(answer.is_tool_error(), "{}", answer.text);
    assert!(server.wait().success());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_shutdown_function_has_its_own_timeout() {
    let mut server = ending(2_000);
    server.close_input();
    server.wait_for_stderr("the end begins");
    // Longer than a server without an end of its own would have.
    thread::sleep(Duration::from_millis(1_300));
    assert!(server.is_running());
    assert!(server.wait().success());
    let told = server.final_stderr();
    assert_eq!(told.matches("the end is over").count(), 1, "{told}");
}

#[test]
fn a_second_signal_does_not_wait_for_the_shutdown_function() {
    let mut server = ending(5_000);
    signal(&server, Signal::TERM);
    server.wait_for_stderr("the end begins");
    signal(&server, Signal::TERM);
    server.wait_within(Duration::from_secs(2));
    assert!(!server.final_stderr().contains("the end is over"));
}

#[test]
fn a_shutdown_function_that_hangs_is_dropped() {
    let mut server = ending(60_000);
    let start = Instant::now();
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(14)).success());
    assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
    let told = server.final_stderr();
    assert!(told.contains("`on_shutdown` took longer than 10s") && !told.contains("the end is over"), "{told}");
}
