//! Handlers and destructors that panic.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::messages::{call, call_line, cancelled};
use crate::support::Server;

#[test]
fn a_panic_is_an_error_result() {
    let mut server = Server::start("fixture");
    let tools = ["panic_now", "panic_later", "panic_blocking", "echo"];
    for n in 0..100 {
        server.send(&call(n, tools[n % 4], json!(if n % 4 == 3 { json!({"text": "x"}) } else { json!({}) })));
    }
    for n in 0..100 {
        let answer = server.answer_to(&n.to_string());
        assert_eq!(answer.is_tool_error(), n % 4 != 3, "{}", answer.text);
    }
}

#[test]
fn a_destructor_that_panics_costs_neither_the_response_nor_the_permit() {
    let mut server = Server::start("fixture");
    let answer = server.exchange(&call_line(1, "late_bomb", json!({})));
    assert!(answer.is_tool_error() && answer.content_text().contains("timed out"), "{}", answer.text);
    assert_eq!(server.exchange(&call_line(1, "echo", json!({"text": "again"}))).content_text(), "again");
    for id in 100..400 {
        server.send_unnoted(call_line(id, "bomb", json!({})).as_bytes());
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
fn results_that_panic_when_dropped_cost_no_thread() {
    let mut server = Server::start("fixture");
    // There are 64 threads; each of these calls has one when it is cancelled, or is still to have one.
    for round in 0..2 {
        for id in 0..64 {
            server.send_unnoted(call_line(id, "thread_bomb", json!({"ms": 100})).as_bytes());
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
