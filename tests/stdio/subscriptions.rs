//! Subscriptions: their filters, and the order of their notifications.
//!
//! The client checks that each subscription begins with its acknowledgement and gets only the acknowledged changes
//! (`Server::check_subscription`).

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::revision::{self, Revision};
use crate::support::{Frame, Server};

const SUBSCRIPTION: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

fn listen(id: impl Into<Value>, filter: Value) -> String {
    Revision::NEWEST.request(id, "subscriptions/listen", json!({"notifications": filter}))
}

fn listen_to(id: impl Into<Value>, uris: &[&str]) -> String {
    listen(id, json!({"resourceSubscriptions": uris}))
}

fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> String {
    Revision::NEWEST.request(id, "tools/call", json!({"name": tool, "arguments": arguments}))
}

fn cancel(id: impl Into<Value>) -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id.into()}}).to_string()
}

fn is_acknowledgement(frame: &Frame) -> bool {
    frame.value["method"] == "notifications/subscriptions/acknowledged"
}

/// Opens a subscription, and gives what the server honours.
fn open(server: &mut Server, id: impl Into<Value>, filter: Value) -> Value {
    let id = id.into();
    server.send(&listen(id.clone(), filter));
    let frame = server.receive();
    assert!(is_acknowledgement(&frame), "{}", frame.text);
    assert_eq!(frame.value.pointer(SUBSCRIPTION), Some(&id), "{}", frame.text);
    frame.value["params"]["notifications"].clone()
}

/// Receives the notification of a changed resource. Returns its subscription and its URI.
fn update(server: &mut Server) -> (Option<Value>, String) {
    let frame = server.receive();
    assert_eq!(frame.value["method"], "notifications/resources/updated", "{}", frame.text);
    let uri = frame.value["params"]["uri"].as_str().expect("a URI").to_owned();
    (frame.value.pointer(SUBSCRIPTION).cloned(), uri)
}

/// Says that a resource has changed, and gives what comes before the answer or after it.
fn touch(server: &mut Server, uri: &str) -> Vec<Frame> {
    server.call("touch", json!({"uri": uri}));
    let mut frames = server.take_early();
    let id = format!("after {}", Instant::now().elapsed().as_nanos());
    // A pending notification is held back for a moment at most.
    std::thread::sleep(Duration::from_millis(50));
    server.exchange(&Revision::NEWEST.request(id, "server/discover", Value::Null));
    frames.extend(server.take_early());
    frames
}

fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid() as i32).expect("a process id");
    kill_process(pid, signal).expect("the server is there");
}

#[test]
fn only_existing_resources_are_acknowledged_and_notified() {
    let mut server = Server::start("fixture");
    let uris = ["gauge://7", "config://app", "nowhere://x", "not a URI", "gauge://7", "gauge://"];
    let honoured = open(&mut server, 1, json!({"promptsListChanged": false, "resourceSubscriptions": uris, "x/y": 1}));
    assert_eq!(honoured, json!({"resourceSubscriptions": ["gauge://7", "config://app"]}));
    for (uri, is_told) in [("config://app", true), ("gauge://8", false), ("nowhere://x", false), ("gauge://7", true)] {
        let frames = touch(&mut server, uri);
        let told: Vec<_> = frames.iter().map(|frame| &frame.value["params"]["uri"]).collect();
        assert_eq!(told, if is_told { vec![uri] } else { vec![] });
    }
    // Nothing that could be told: it stays open all the same.
    assert_eq!(open(&mut server, 2, json!({})), json!({}));
    assert_eq!(open(&mut server, 3, json!({"resourceSubscriptions": ["nowhere://x"]})), json!({}));
    server.assert_quiet();
}

#[test]
fn subscriptions_are_separate_by_id_and_filter() {
    let mut server = Server::start("fixture");
    open(&mut server, 1, json!({"resourceSubscriptions": ["gauge://1", "gauge://2"]}));
    open(&mut server, "1", json!({"resourceSubscriptions": ["gauge://2", "gauge://3"]}));
    let mut told = |uri: &str| {
        let frames = touch(&mut server, uri);
        frames.iter().map(|frame| frame.value.pointer(SUBSCRIPTION).expect("an id").clone()).collect::<Vec<_>>()
    };
    assert_eq!(told("gauge://1"), [json!(1)]);
    assert_eq!(told("gauge://2"), [json!(1), json!("1")]);
    assert_eq!(told("gauge://3"), [json!("1")]);
    // As it was written, byte for byte.
    server.send(&listen_to("PLACE", &["gauge://4"]).replace("\"PLACE\"", r#""A\n""#));
    let acknowledged = server.receive();
    assert!(acknowledged.text.contains(r#""io.modelcontextprotocol/subscriptionId":"A\n""#), "{}", acknowledged.text);
}

#[test]
fn an_invalid_filter_is_refused() {
    let mut server = Server::start("fixture");
    let long = format!("gauge://{}", "0".repeat(70_000));
    let many: Vec<String> = (0..1001).map(|number| format!("gauge://{number}")).collect();
    for (filter, named) in [
        (json!(null), "`notifications`"),
        (json!([]), "`notifications`"),
        (json!("tools"), "`notifications`"),
        (json!({"toolsListChanged": 1}), "`notifications.toolsListChanged`"),
        (json!({"resourcesListChanged": null}), "`notifications.resourcesListChanged`"),
        (json!({"promptsListChanged": "true"}), "`notifications.promptsListChanged`"),
        (json!({"resourceSubscriptions": "gauge://1"}), "`notifications.resourceSubscriptions`"),
        (json!({"resourceSubscriptions": {"gauge://1": 1}}), "`notifications.resourceSubscriptions`"),
        (json!({"resourceSubscriptions": ["gauge://1", 2]}), "`notifications.resourceSubscriptions`"),
        (json!({"resourceSubscriptions": many}), "at most 1000 resources"),
        (json!({"resourceSubscriptions": vec![1; 100_000]}), "at most 1000 resources"),
        (json!({"resourceSubscriptions": [long]}), "65536 bytes"),
    ] {
        let answer = server.exchange(&listen(1, filter.clone()));
        assert_eq!(answer.error_code(), Some(-32602), "{}", answer.text);
        assert!(answer.text.contains(named), "{named} in {}", answer.text);
    }
    let answer = server.exchange(&Revision::NEWEST.request(1, "subscriptions/listen", json!({})));
    assert_eq!(answer.error_code(), Some(-32602), "{}", answer.text);
    let twice = listen(1, json!({"toolsListChanged": true})).replace("true}", r#"true,"toolsListChanged":false}"#);
    assert_eq!(server.exchange(&twice).error_code(), Some(-32602));
    // A refused subscription leaves nothing behind.
    let most: Vec<String> = (0..1000).map(|number| format!("gauge://{number}")).collect();
    assert_eq!(open(&mut server, 1, json!({"resourceSubscriptions": most}))["resourceSubscriptions"], json!(most));
}

#[test]
fn each_era_has_its_own_methods() {
    let mut server = Server::connect("fixture", Revision::V2025_11_25);
    let filter = json!({"notifications": {}});
    assert_eq!(server.ask("subscriptions/listen", filter).error_code(), Some(-32601));
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let request = Revision::NEWEST.request(method, method, json!({"uri": "gauge://1"}));
        assert_eq!(server.exchange(&request).error_code(), Some(-32601));
    }
    let mut server = Server::connect("hello", Revision::V2025_11_25);
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        assert_eq!(server.ask(method, json!({"uri": "gauge://1"})).error_code(), Some(-32601), "no resources");
    }
    let mut server = Server::start("hello");
    assert_eq!(open(&mut server, 1, json!({"resourceSubscriptions": ["gauge://1"]})), json!({}));
}

#[test]
fn a_cancelled_subscription_is_silent() {
    let mut server = Server::start("fixture");
    open(&mut server, "gone", json!({"resourceSubscriptions": ["gauge://1"]}));
    open(&mut server, "stays", json!({"resourceSubscriptions": ["gauge://1"]}));
    let touching = server.begin_call("keep_touching", json!({"uri": "gauge://1", "ms": 1000}));
    let told = |server: &mut Server, id: &str| while update(server).0 != Some(id.into()) {};
    told(&mut server, "gone");
    server.send(&cancel("gone"));
    // Every frame after this response was sent after the cancellation.
    server.exchange(&Revision::NEWEST.request("then", "server/discover", Value::Null));
    server.take_early();
    server.answer_to(&touching);
    let after = server.take_early();
    assert!(after.len() > 3, "the other one is told: {}", after.len());
    for frame in after {
        assert_eq!(frame.value.pointer(SUBSCRIPTION), Some(&"stays".into()), "{}", frame.text);
    }
    std::thread::sleep(Duration::from_millis(50));
    server.exchange(&Revision::NEWEST.request("done", "server/discover", Value::Null));
    server.take_early();
    // There is no response, and another cancellation, or one of an unknown id, has no effect.
    server.send(&cancel("gone"));
    server.send(&cancel("never"));
    server.assert_quiet();
}

#[test]
fn the_id_of_an_open_subscription_is_refused() {
    let mut server = Server::start("fixture");
    let waiting = server.begin_call("wait_forever", json!({}));
    let running = waiting.parse::<i64>().expect("a number");
    open(&mut server, "open", json!({"resourceSubscriptions": ["gauge://1"]}));
    server.send(&listen(running, json!({})));
    assert_eq!(server.answer_to(&waiting).error_code(), Some(-32600));
    for request in [listen("open", json!({})), call("open", "echo", json!({"text": "x"}))] {
        server.send(&request);
        let answer = server.receive();
        assert_eq!((answer.error_code(), &answer.value["id"]), (Some(-32600), &"open".into()), "{}", answer.text);
    }
    // Also when no call is in flight.
    server.send(&cancel(running));
    server.send(&call("open", "echo", json!({"text": "x"})));
    assert_eq!(server.receive().error_code(), Some(-32600));
    server.send(&cancel("open"));
    server.send(&call("open", "echo", json!({"text": "x"})));
    assert_eq!(server.receive().content_text(), "x");
}

#[test]
fn subscriptions_are_bounded() {
    let mut server = Server::start("fixture");
    for id in 0..64 {
        open(&mut server, format!("s{id}"), json!({"resourceSubscriptions": ["gauge://1"]}));
    }
    let refused = server.exchange(&listen_to("more", &["gauge://1"]));
    assert_eq!(refused.error_code(), Some(-32603));
    assert!(refused.text.contains("64 subscriptions"), "{}", refused.text);
    server.send(&cancel("s7"));
    open(&mut server, "again", json!({"resourceSubscriptions": ["gauge://1"]}));
    assert_eq!(touch(&mut server, "gauge://1").len(), 64);

    let mut server = Server::connect("fixture", Revision::V2025_06_18);
    for number in 0..1000 {
        assert_eq!(server.ask("resources/subscribe", json!({"uri": format!("gauge://{number}")})).result(), &json!({}));
    }
    let again = server.ask("resources/subscribe", json!({"uri": "gauge://7"}));
    assert_eq!(again.result(), &json!({}), "it is subscribed to already");
    let refused = server.ask("resources/subscribe", json!({"uri": "gauge://1000"}));
    assert_eq!(refused.error_code(), Some(-32603));
    assert!(refused.text.contains("at most 1000 resources"), "{}", refused.text);
    server.ask("resources/unsubscribe", json!({"uri": "gauge://7"}));
    assert_eq!(server.ask("resources/subscribe", json!({"uri": "gauge://1000"})).result(), &json!({}));
}

#[test]
fn subscriptions_take_no_call_permits() {
    let mut server = Server::start("fixture");
    let waiting: Vec<String> = (0..300).map(|id| call(format!("w{id}"), "wait_forever", json!({}))).collect();
    server.send(&waiting.join("\n"));
    open(&mut server, 1, json!({"resourceSubscriptions": ["gauge://1"]}));
    // A permit becomes free for a call that then waits behind 44 others.
    let touching = call("touch", "touch", json!({"uri": "gauge://1"}));
    server.send(&touching);
    for id in 0..45 {
        server.send(&cancel(format!("w{id}")));
    }
    assert_eq!(update(&mut server), (Some(json!(1)), "gauge://1".into()));
    assert_eq!(server.answer_to("\"touch\"").content_text(), "1");
}

/// A change that is made while a subscription is opened does not overtake its acknowledgement.
#[test]
fn the_acknowledgement_comes_before_every_change() {
    let mut server = Server::start("fixture");
    let touching = server.begin_call("keep_touching", json!({"uri": "gauge://1", "ms": 300_000}));
    for number in 0..200 {
        let id = format!("s{number}");
        // An answer in the same batch comes before, too.
        let echo = call(format!("e{number}"), "echo", json!({"text": "before"}));
        server.send(&format!("{echo}\n{}", listen_to(id.clone(), &["gauge://1"])));
        let (mut answered, mut acknowledged) = (false, false);
        loop {
            let frame = server.receive();
            if frame.id().is_some() {
                assert_eq!(frame.content_text(), "before");
                answered = true;
            } else if frame.value.pointer(SUBSCRIPTION) == Some(&id.clone().into()) {
                assert!(answered, "{}", frame.text);
                if std::mem::replace(&mut acknowledged, true) {
                    break;
                }
                assert!(is_acknowledgement(&frame), "{}", frame.text);
            }
        }
        server.send(&cancel(id));
    }
    server.send(&cancel(touching.parse::<i64>().expect("a number")));
}

#[test]
fn a_burst_of_changes_is_notified_once_or_twice_and_never_lost() {
    let mut server = Server::start("fixture");
    open(&mut server, 1, json!({"resourceSubscriptions": ["gauge://1", "gauge://2"]}));
    for _ in 0..20 {
        server.call("touch", json!({"uri": "gauge://1", "times": 10_000}));
        // Held back behind the ones before, and not lost.
        server.call("touch", json!({"uri": "gauge://2"}));
        let mut times = 0;
        while update(&mut server).1 == "gauge://1" {
            times += 1;
        }
        assert!((1..100).contains(&times), "{times} times");
        std::thread::sleep(Duration::from_millis(30));
        server.assert_quiet();
    }
}

#[test]
fn the_end_of_the_input_ends_subscriptions_at_once() {
    let mut server = Server::start("fixture");
    open(&mut server, 1, json!({"resourceSubscriptions": ["gauge://1"]}));
    open(&mut server, "1", json!({}));
    // The last line has no newline, and the change just before may be held back.
    let lines = [call(2, "touch", json!({"uri": "gauge://1", "times": 2})), listen("late", json!({}))];
    server.send_bytes(lines.join("\n").as_bytes());
    let start = Instant::now();
    server.close_input();
    let mut told = Vec::new();
    let mut ends = Vec::new();
    while let Some(frame) = server.next() {
        match frame.value["method"].as_str() {
            Some("notifications/resources/updated") => told.push(frame),
            Some("notifications/subscriptions/acknowledged") => assert!(frame.text.contains("late")),
            _ if frame.id() == Some("2") => assert!(ends.is_empty(), "a call that was ready is answered before"),
            _ => ends.push(frame),
        }
    }
    assert!(server.wait().success());
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(told.len(), 2, "the second change was not lost");
    assert_eq!(ends.len(), 6);
    for (pair, id) in ends.chunks(2).zip([json!(1), json!("1"), json!("late")]) {
        assert_eq!(pair[0].value["id"], id);
        assert_eq!(pair[0].result()["resultType"], "complete");
        assert_eq!(pair[0].result()["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fixture");
        assert_eq!(pair[1].value["method"], "notifications/cancelled");
        assert_eq!(pair[1].value["params"]["requestId"], id);
    }
}

#[test]
fn a_signal_ends_subscriptions() {
    let mut server = Server::start("fixture");
    open(&mut server, 1, json!({"resourceSubscriptions": ["gauge://1"]}));
    signal(&server, Signal::TERM);
    assert_eq!(server.receive().value["id"], 1);
    assert_eq!(server.receive().value["method"], "notifications/cancelled");
    assert!(server.next().is_none());
    assert!(server.wait_within(Duration::from_secs(2)).success());
}

#[test]
fn sessions_subscribe_to_resources_in_every_legacy_revision() {
    for revision in Revision::LEGACY {
        let mut server = Server::connect("fixture", revision);
        for uri in ["gauge://1", "gauge://1", "gauge://2", "config://app"] {
            assert_eq!(server.ask("resources/subscribe", json!({"uri": uri})).text.matches("result\":{}").count(), 1);
        }
        let missing = server.ask("resources/subscribe", json!({"uri": "nowhere://x"}));
        assert_eq!(missing.error_code(), Some(-32002), "{}", missing.text);
        for params in [json!({}), json!({"uri": 1})] {
            assert_eq!(server.ask("resources/subscribe", params.clone()).error_code(), Some(-32602));
            assert_eq!(server.ask("resources/unsubscribe", params).error_code(), Some(-32602));
        }
        let frames = touch(&mut server, "gauge://1");
        assert_eq!(frames.len(), 1, "subscribed to twice, told once");
        assert_eq!(frames[0].value["params"], json!({"uri": "gauge://1"}));
        assert!(touch(&mut server, "gauge://3").is_empty());
        for uri in ["gauge://1", "gauge://1", "nowhere://x"] {
            assert_eq!(server.ask("resources/unsubscribe", json!({"uri": uri})).result(), &json!({}));
        }
        assert!(touch(&mut server, "gauge://1").is_empty());
        assert_eq!(touch(&mut server, "gauge://2").len(), 1);
        server.close_input();
        assert!(server.wait().success());
        assert!(server.next().is_none(), "a session's subscriptions end without a word");
    }
}

#[test]
fn a_session_gets_no_notifications_before_it_is_initialized() {
    let mut server = Server::start("fixture");
    let revision = Revision::V2025_11_25;
    server.exchange(&revision.initialize(0));
    server.exchange(&revision.request(1, "resources/subscribe", json!({"uri": "gauge://1"})));
    let touch = json!({"name": "touch", "arguments": {"uri": "gauge://1", "times": 3}});
    server.exchange(&revision.request(2, "tools/call", touch.clone()));
    std::thread::sleep(Duration::from_millis(50));
    server.assert_quiet();
    server.send(revision::INITIALIZED);
    assert_eq!(update(&mut server), (None, "gauge://1".into()));
    server.assert_quiet();
    // All of it at once: the answers come first.
    let mut server = Server::start("fixture");
    let subscribe = revision.request(1, "resources/subscribe", json!({"uri": "gauge://1"}));
    let lines =
        [revision.initialize(0), subscribe, revision.request(2, "tools/call", touch), revision::INITIALIZED.to_owned()];
    server.send(&lines.join("\n"));
    for id in ["0", "1", "2"] {
        assert_eq!(server.receive().id(), Some(id));
    }
    assert_eq!(update(&mut server), (None, "gauge://1".into()));
}

#[test]
fn subscriptions_of_both_eras_share_one_pipe() {
    let mut server = Server::connect("fixture", Revision::V2025_11_25);
    server.ask("resources/subscribe", json!({"uri": "gauge://1"}));
    open(&mut server, 7, json!({"resourceSubscriptions": ["gauge://1", "gauge://2"]}));
    let told = |server: &mut Server, uri: &str| {
        let frames = touch(server, uri);
        frames.iter().map(|frame| frame.value.pointer(SUBSCRIPTION).cloned()).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut server, "gauge://1"), [None, Some(json!(7))]);
    assert_eq!(told(&mut server, "gauge://2"), [Some(json!(7))]);
    server.send(&cancel(7));
    assert_eq!(told(&mut server, "gauge://1"), [None]);
    open(&mut server, 8, json!({"resourceSubscriptions": ["gauge://1"]}));
    server.ask("resources/unsubscribe", json!({"uri": "gauge://1"}));
    assert_eq!(told(&mut server, "gauge://1"), [Some(json!(8))]);
}

#[test]
fn a_batch_can_subscribe_and_cannot_listen() {
    let mut server = Server::connect("fixture", Revision::V2025_03_26);
    let subscribe = Revision::V2025_03_26.request(1, "resources/subscribe", json!({"uri": "gauge://1"}));
    server.send(&format!("[{subscribe},{}]", listen(2, json!({}))));
    let answers = server.receive().value;
    assert_eq!(answers[0]["result"], json!({}));
    assert_eq!(answers[1]["error"]["code"], -32600);
    assert_eq!(touch(&mut server, "gauge://1").len(), 1);
}

#[test]
fn a_client_that_does_not_read_takes_bounded_memory_and_gets_the_last_change() {
    let mut server = Server::setup("fixture").without_reading().start();
    let gauges: Vec<String> = (0..1000).map(|number| format!("gauge://{number}")).collect();
    let listens: Vec<String> =
        (0..4).map(|id| listen(format!("l{id}"), json!({"resourceSubscriptions": gauges}))).collect();
    server.send(&listens.join("\n"));
    let before = server.resident();
    // 800,000 notifications of 150 bytes, if each change were one.
    server.send(&call("touch", "touch_gauges", json!({"gauges": 1000, "rounds": 200, "rest_ms": 12})));
    std::thread::sleep(Duration::from_secs(4));
    server.send(&listen_to("last", &["gauge://0"]));
    server.send(&call("touch it", "touch", json!({"uri": "gauge://0"})));
    std::thread::sleep(Duration::from_millis(300));
    let grown = server.peak().saturating_sub(before);
    assert!(grown < 40 << 10, "{grown} KiB more");
    server.start_reading();
    let mut last_told = false;
    let mut times = vec![0; 4];
    // Every pending change is notified, even the last one.
    while !last_told {
        let frame = server.receive();
        let id = frame.value.pointer(SUBSCRIPTION).and_then(Value::as_str).unwrap_or_default();
        last_told |= id == "last" && !is_acknowledgement(&frame);
        if let Some(number) = id.strip_prefix('l').and_then(|number| number.parse::<usize>().ok()) {
            times[number] += 1;
        }
    }
    assert!(times.iter().all(|times| *times >= 1000), "{times:?}");
}
