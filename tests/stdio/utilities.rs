//! Cancellation, progress, logs, timeouts and concurrency.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::messages::{call, echo};
use crate::support::{Frame, Revision, Server};

const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Waits until `wait_forever` has these counts.
fn wait_until(server: &mut Server, expected: &str) {
    let start = Instant::now();
    loop {
        let counts = server.call("waiting", json!({}));
        if counts.content_text() == expected {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{} instead of {expected}", counts.content_text());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn cancelled(id: &str) -> String {
    let params = format!(r#"{{"requestId":{id},"reason":"the user gave up"}}"#);
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#)
}

#[test]
fn a_cancelled_call_is_dropped_and_gets_no_response() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let id = server.begin_call("wait_forever", json!({}));
        wait_until(&mut server, "1 begun, 0 dropped");
        // An id of another type is another request.
        server.send(&cancelled(&format!("\"{id}\"")));
        server.send(&cancelled("\"nobody\""));
        wait_until(&mut server, "1 begun, 0 dropped");
        server.send(&cancelled(&id));
        let start = Instant::now();
        wait_until(&mut server, "1 begun, 1 dropped");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        server.send(&cancelled(&id));
        server.assert_quiet();
    }
}

#[test]
fn the_id_of_a_cancelled_call_is_free_again() {
    let mut server = Server::start("fixture");
    let forever = Revision::NEWEST.request("x", "tools/call", json!({"name": "wait_forever", "arguments": {}}));
    server.send(&forever);
    wait_until(&mut server, "1 begun, 0 dropped");
    server.send(&cancelled("\"x\""));
    wait_until(&mut server, "1 begun, 1 dropped");
    let echo = json!({"name": "echo", "arguments": {"text": "again"}});
    assert_eq!(server.exchange(&Revision::NEWEST.request("x", "tools/call", echo)).content_text(), "again");
}

#[test]
fn a_cancellation_that_races_with_the_response_is_harmless() {
    let mut server = Server::start("fixture");
    for n in 0..200 {
        let id = format!("race{n}");
        let call = json!({"name": "sleep_ms", "arguments": {"ms": n % 3}});
        let line = Revision::NEWEST.request(id.clone(), "tools/call", call);
        let cancel = cancelled(&format!("\"{id}\""));
        server.send(&format!("{line}\n{cancel}"));
    }
    assert_eq!(server.call("echo", json!({"text": "alive"})).content_text(), "alive");
    for frame in server.take_early() {
        assert!(frame.value["id"].as_str().is_some_and(|id| id.starts_with("race")), "{}", frame.text);
    }
}

#[test]
fn progress_rises_and_ends_before_the_response() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        for token in [json!("token"), json!(7), json!(9_007_199_254_740_993_i64)] {
            let call = json!({"name": "count", "arguments": {"steps": 20}});
            let answer = server.ask_with_meta("tools/call", call, json!({"progressToken": token}));
            assert_eq!(answer.content_text(), "20");
            let reports = server.take_early();
            assert!(!reports.is_empty(), "at least the last one");
            let mut last = 0.0;
            for report in &reports {
                assert_eq!(report.value["method"], "notifications/progress", "{}", report.text);
                let params = &report.value["params"];
                assert_eq!(params["progressToken"], token);
                let progress = params["progress"].as_f64().expect("a number");
                assert!(progress > last, "{progress} after {last}");
                assert_eq!(params["total"].as_f64(), Some(20.0));
                assert_eq!(params["message"] == "counting", revision >= Revision::V2025_03_26);
                last = progress;
            }
            assert_eq!(last, 20.0, "the last report is never left out");
            server.assert_quiet();
        }
    }
}

#[test]
fn progress_without_a_token_is_not_sent() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        server.call("count", json!({"steps": 5}));
        assert!(server.take_early().is_empty());
        let call = json!({"name": "count", "arguments": {"steps": 5}});
        for token in [json!(null), json!(1.5), json!({}), json!(true)] {
            server.ask_with_meta("tools/call", call.clone(), json!({"progressToken": token}));
            assert!(server.take_early().is_empty(), "{token}");
        }
    }
}

/// The levels of the log messages that came before the answer.
fn levels(frames: &[Frame]) -> Vec<String> {
    frames
        .iter()
        .map(|frame| {
            assert_eq!(frame.value["method"], "notifications/message", "{}", frame.text);
            let params = &frame.value["params"];
            let level = params["level"].as_str().expect("a level");
            assert!(params["data"].to_string().contains(level), "{}", frame.text);
            level.to_owned()
        })
        .collect()
}

#[test]
fn each_modern_request_sets_its_log_level() {
    let mut server = Server::start("fixture");
    let call = json!({"name": "log_levels", "arguments": {}});
    for (at, level) in LEVELS.iter().enumerate() {
        server.ask("tools/call", call.clone());
        assert!(server.take_early().is_empty(), "none without a level");
        let meta = json!({"io.modelcontextprotocol/logLevel": level});
        server.ask_with_meta("tools/call", call.clone(), meta);
        assert_eq!(levels(&server.take_early()), LEVELS[at..], "from {level} on");
        server.assert_quiet();
    }
}

#[test]
fn legacy_logs_follow_the_level_of_the_session() {
    for revision in Revision::LEGACY {
        let mut server = Server::connect("fixture", revision);
        for (at, level) in LEVELS.iter().enumerate() {
            assert_eq!(server.ask("logging/setLevel", json!({"level": level})).result(), &json!({}));
            server.call("log_levels", json!({}));
            assert_eq!(levels(&server.take_early()), LEVELS[at..], "from {level} on in {revision}");
        }
        for level in [json!("loud"), json!(1), json!(null)] {
            assert_eq!(server.ask("logging/setLevel", json!({"level": level})).error_code(), Some(-32602));
        }
        assert_eq!(server.ask("logging/setLevel", Value::Null).error_code(), Some(-32602));
        server.call("log_levels", json!({}));
        assert_eq!(levels(&server.take_early()), ["emergency"], "a refused level changes nothing");
    }
}

#[test]
fn a_message_that_is_logged_after_the_call_arrives_without_another_request() {
    for revision in Revision::LEGACY {
        let mut server = Server::connect("fixture", revision);
        server.call("log_later", json!({"ms": 50}));
        let message = server.receive();
        let expected = json!({"level": "warning", "logger": "log_later", "data": "after the call"});
        assert_eq!(message.value["params"], expected, "{revision}");
    }
    // The level of a modern request ends with the request.
    let mut server = Server::connect("fixture", Revision::NEWEST);
    let meta = json!({"io.modelcontextprotocol/logLevel": "debug"});
    server.ask_with_meta("tools/call", json!({"name": "log_later", "arguments": {"ms": 10}}), meta);
    std::thread::sleep(Duration::from_millis(100));
    server.assert_quiet();
}

#[test]
fn a_tool_beyond_its_timeout_is_stopped() {
    for revision in [Revision::V2025_11_25, Revision::NEWEST] {
        let mut server = Server::connect("fixture", revision);
        let start = Instant::now();
        let answer = server.call("slow", json!({}));
        assert!(answer.is_tool_error());
        assert!(answer.content_text().contains("timed out"), "{}", answer.text);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
    // The app's own limit, for tools without one.
    let mut server = Server::setup("fixture").env("FIXTURE_TIMEOUT_MS", "100").start();
    for tool in ["sleep_ms", "block_ms"] {
        let answer = server.call(tool, json!({"ms": 3000}));
        assert!(answer.is_tool_error() && answer.content_text().contains("timed out"), "{}", answer.text);
    }
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
fn calls_run_at_the_same_time() {
    for revision in [Revision::V2024_11_05, Revision::NEWEST] {
        let mut server = Server::connect("fixture", revision);
        let start = Instant::now();
        let ids: Vec<String> = (0..50).map(|_| server.begin_call("sleep_ms", json!({"ms": 300}))).collect();
        for id in ids {
            assert_eq!(server.answer_to(&id).content_text(), "300");
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

#[test]
fn responses_come_as_they_are_ready() {
    let mut server = Server::start("fixture");
    let slow = server.begin_call("sleep_ms", json!({"ms": 500}));
    let quick = server.begin_call("sleep_ms", json!({"ms": 1}));
    assert_eq!(server.receive().id(), Some(quick.as_str()));
    assert_eq!(server.receive().id(), Some(slow.as_str()));
}

#[test]
fn ready_responses_do_not_wait_for_other_calls() {
    let mut server = Server::start("fixture");
    // All of them are there before the server reads for the first time.
    let mut lines: Vec<String> = (0..63).map(|id| echo(id, "quick")).collect();
    lines.push(call("slow", "hog", json!({"ms": 60_000})));
    server.send(&lines.join("\n"));
    assert_eq!(server.answer_to("0").content_text(), "quick");
}

#[test]
fn blocking_tools_do_not_delay_others() {
    let mut server = Server::start("fixture");
    server.call("echo", json!({"text": "warm"}));
    let blocked: Vec<String> = (0..16).map(|_| server.begin_call("block_ms", json!({"ms": 1500}))).collect();
    let start = Instant::now();
    for _ in 0..100 {
        server.call("echo", json!({"text": "quick"}));
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(1), "100 quick calls took {took:?} beside 16 blocking ones");
    for id in blocked {
        assert_eq!(server.answer_to(&id).content_text(), "1500");
    }
    assert!(start.elapsed() < Duration::from_secs(10), "they ran side by side: {:?}", start.elapsed());
}

#[test]
fn ping_is_answered_while_tools_run() {
    for revision in Revision::LEGACY {
        let mut server = Server::connect("fixture", revision);
        server.begin_call("block_ms", json!({"ms": 1000}));
        server.begin_call("wait_forever", json!({}));
        let start = Instant::now();
        assert_eq!(server.ask("ping", Value::Null).result(), &json!({}));
        assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    }
}
