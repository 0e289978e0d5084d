//! What an app does at its start and at its end, as a process does it.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

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
fn what_comes_while_states_are_made_is_answered_after_that() {
    // What is printed meanwhile goes to standard error, as ever.
    let mut server = Server::setup("fixture").env("FIXTURE_STATE_MS", "300").start();
    server.open(Revision::NEWEST);
    let start = Instant::now();
    assert!(server.ask("tools/list", Value::Null).result()["tools"].is_array());
    assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
    server.wait_for_stderr("the state is made");
}

#[test]
fn a_state_that_cannot_be_made_ends_the_process_with_its_reason() {
    let mut server = Server::setup("fixture").env("FIXTURE_STATE_FAILS", "the disk is full").start();
    assert!(!server.wait().success());
    let told = server.final_stderr();
    assert!(told.contains("Slow` could not be made: the disk is full"), "{told}");
}

#[test]
fn the_end_has_its_time() {
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
fn a_second_signal_does_not_wait_for_the_end() {
    let mut server = ending(5_000);
    signal(&server, Signal::TERM);
    server.wait_for_stderr("the end begins");
    signal(&server, Signal::TERM);
    server.wait_within(Duration::from_secs(2));
    assert!(!server.final_stderr().contains("the end is over"));
}

#[test]
fn an_end_that_hangs_is_dropped() {
    let mut server = ending(60_000);
    let start = Instant::now();
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(14)).success());
    assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
    let told = server.final_stderr();
    assert!(told.contains("`on_shutdown` took longer than 10s") && !told.contains("the end is over"), "{told}");
}
