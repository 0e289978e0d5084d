//! Lines, JSON and JSON-RPC: valid and invalid messages, and the responses to them.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::revision::INITIALIZED;
use crate::support::{Revision, SEPARATORS, Server};

fn echo(id: impl Into<Value>, text: &str) -> String {
    Revision::NEWEST.request(id, "tools/call", json!({"name": "echo", "arguments": {"text": text}}))
}

/// A modern request whose id is written as it is.
fn with_raw_id(id: &str) -> String {
    echo("ID", "x").replacen("\"ID\"", id, 1)
}

#[test]
fn ids_come_back_byte_for_byte() {
    let ids = [
        "0",
        "1",
        "-7",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "1.0",
        "\"1\"",
        "\"\"",
        "\"a b/ü\"",
        r#""\u0041\n\"""#,
        r#""\/""#,
    ];
    for revision in [Revision::V2025_11_25, Revision::NEWEST] {
        let mut server = Server::connect("fixture", revision);
        for id in ids {
            let line = revision.request("ID", "tools/list", Value::Null).replacen("\"ID\"", id, 1);
            server.send(&line);
            assert_eq!(server.receive().id(), Some(id));
        }
    }
}

/// Returns the JSON of an id of this length, all of whose characters may be escaped.
fn id_of(bytes: usize, is_escaped: bool) -> String {
    format!("\"{}\"", if is_escaped { "\\u0078" } else { "x" }.repeat(bytes))
}

#[test]
fn ids_of_up_to_256_bytes_are_accepted() {
    for revision in [Revision::V2025_11_25, Revision::NEWEST] {
        let mut server = Server::connect("fixture", revision);
        for (bytes, is_escaped) in [(254, false), (255, false), (256, false), (255, true), (256, true)] {
            let id = id_of(bytes, is_escaped);
            server.send(&revision.request("ID", "tools/list", Value::Null).replacen("\"ID\"", &id, 1));
            let answer = server.receive();
            assert_eq!(answer.id(), Some(&*id));
            assert!(answer.result()["tools"].is_array());
        }
    }
}

#[test]
fn calls_with_ids_of_up_to_256_bytes_can_be_cancelled() {
    let mut server = Server::start("fixture");
    for (at, bytes) in [254, 255, 256].into_iter().enumerate() {
        let wait = Revision::NEWEST.request("ID", "tools/call", json!({"name": "wait_forever", "arguments": {}}));
        server.send(&wait.replacen("\"ID\"", &id_of(bytes, false), 1));
        let cancelled = json!({"requestId": "x".repeat(bytes)});
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}).to_string());
        let expected = format!("{0} begun, {0} dropped", at + 1);
        let start = Instant::now();
        while server.call("waiting", json!({})).content_text() != expected {
            assert!(start.elapsed() < Duration::from_secs(10), "the call with {bytes} bytes of id goes on");
        }
    }
}

#[test]
fn an_invalid_id_is_refused_without_an_id() {
    let mut server = Server::start("fixture");
    let (long, escaped) = (id_of(257, false), id_of(257, true));
    for id in ["null", "1.5", "true", "[1]", "{}", "18446744073709551616", "1e400", &long, &escaped] {
        server.send(&with_raw_id(id));
        let answer = server.receive();
        assert!(answer.id().is_none(), "{}", answer.text);
        // Beyond what a number can hold, it may be taken for broken JSON as well.
        assert!(matches!(answer.error_code(), Some(-32600 | -32700)), "{}", answer.text);
    }
    server.assert_quiet();
}

#[test]
fn an_id_in_use_is_refused_until_its_response() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let sleep = json!({"name": "sleep_ms", "arguments": {"ms": 300}});
        let line = revision.request("same", "tools/call", sleep);
        server.send(&line);
        server.send(&line);
        let refused = server.answer_to("\"same\"");
        assert_eq!(refused.error_code(), Some(-32600), "{}", refused.text);
        assert_eq!(server.answer_to("\"same\"").content_text(), "300");
        assert_eq!(server.exchange(&line).content_text(), "300");
    }
}

#[test]
fn strings_and_numbers_are_different_ids() {
    let mut server = Server::start("fixture");
    let sleep = |id: Value, ms: u64| {
        Revision::NEWEST.request(id, "tools/call", json!({"name": "sleep_ms", "arguments": {"ms": ms}}))
    };
    server.send(&sleep(json!(1), 200));
    server.send(&sleep(json!("1"), 100));
    assert_eq!(server.receive().id(), Some("\"1\""));
    assert_eq!(server.receive().id(), Some("1"));
    // 1 and 1.0 are the same number.
    server.send(&sleep(json!(1), 200));
    server.send(&sleep(json!("ID"), 100).replacen("\"ID\"", "1.0", 1));
    assert_eq!(server.answer_to("1.0").error_code(), Some(-32600));
    assert_eq!(server.answer_to("1").content_text(), "200");
}

#[test]
fn broken_json_is_a_parse_error_without_id() {
    let lines: [&[u8]; 7] = [
        b"not json",
        b"{",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} trailing",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}",
        b"{'id':1}",
        b"\x00",
    ];
    let mut server = Server::start("fixture");
    for line in lines {
        server.send_bytes(line);
        server.send_bytes(b"\n");
        let answer = server.receive();
        assert_eq!(answer.error_code(), Some(-32700), "{}", answer.text);
        assert!(answer.value.get("id").is_none(), "{}", answer.text);
    }
    assert_eq!(server.exchange(&echo(1, "still here")).content_text(), "still here");
}

#[test]
fn a_storm_of_broken_lines_gets_few_errors() {
    let mut server = Server::start("fixture");
    server.send_bytes("nonsense\n".repeat(10_000).as_bytes());
    server.send(&echo("end", "x"));
    server.answer_to("\"end\"");
    let errors = server.take_early().len();
    assert!((1..1000).contains(&errors), "{errors} answers to 10,000 broken lines");
}

#[test]
fn messages_that_are_not_request_objects_are_refused() {
    // The line, and the id that can be read in it.
    let cases = [
        ("1", None),
        ("\"x\"", None),
        ("null", None),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Some("1")),
        (r#"{"id":2,"method":"ping"}"#, Some("2")),
        (r#"{"jsonrpc":"2.0","id":3}"#, Some("3")),
        (r#"{"jsonrpc":"2.0","id":4,"method":7}"#, Some("4")),
        (r#"{"jsonrpc":"2.0","id":5,"method":"a","method":"b"}"#, Some("5")),
    ];
    let mut server = Server::start("fixture");
    // The harness does not know what a request is that has two methods.
    server.note(br#"{"jsonrpc":"2.0","id":5,"method":"a"}"#);
    for (line, id) in cases {
        server.send(line);
        let answer = server.receive();
        assert_eq!(answer.error_code(), Some(-32600), "{line}: {}", answer.text);
        if let Some(found) = answer.id() {
            assert_eq!(Some(found), id, "{line}: {}", answer.text);
        }
    }
    let mut server = Server::start("fixture");
    server.send(r#"{"jsonrpc":"2.0","id":6,"id":7,"method":"ping"}"#);
    let answer = server.receive();
    assert_eq!((answer.error_code(), answer.id()), (Some(-32600), None), "{}", answer.text);
    server.send(r#"{}"#);
    server.send(&echo("end", "x"));
    let end = server.answer_to("\"end\"");
    assert_eq!(end.content_text(), "x");
}

#[test]
fn names_are_compared_exactly() {
    let mut server = Server::start("fixture");
    // A member of another case or with a NUL is another member, so `method` is missing here.
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"Method":"server/discover"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method\u0000":"server/discover"}"#,
    ] {
        assert_eq!(server.exchange(line).error_code(), Some(-32600), "{line}");
    }
    // An escaped name is the same name.
    let line = Revision::NEWEST.request(2, "server/discover", Value::Null).replace("\"method\"", r#""\u006dethod""#);
    assert!(server.exchange(&line).result().is_object());
}

#[test]
fn notifications_and_responses_get_no_response() {
    let lines = [
        INITIALIZED,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"nobody"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/no/such/thing","params":{"a":1}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}}"#,
        r#"{"jsonrpc":"2.0","method":"no/such/method"}"#,
        r#"{"jsonrpc":"2.0","id":99,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"s","error":{"code":-32601,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}"#,
    ];
    let mut server = Server::start("fixture");
    for line in lines {
        server.send(line);
        server.assert_quiet();
    }
    for revision in Revision::LEGACY {
        let mut server = Server::connect("fixture", revision);
        for line in lines {
            server.send(line);
        }
        server.assert_quiet();
    }
}

/// A batch with everything in it that a batch can have.
fn batch(revision: Revision) -> String {
    let call = json!({"name": "echo", "arguments": {"text": "in a batch"}});
    let sleep = json!({"name": "sleep_ms", "arguments": {"ms": 50}});
    let lines = [
        revision.request("a", "tools/call", call),
        INITIALIZED.to_owned(),
        revision.request("b", "tools/call", sleep),
        revision.request("c", "no/such/method", Value::Null),
        r#"{"jsonrpc":"2.0","method":"notifications/no/such/thing"}"#.to_owned(),
    ];
    format!("[{}]", lines.join(","))
}

#[test]
fn batches_are_accepted_in_2025_03_26() {
    let mut server = Server::connect("fixture", Revision::V2025_03_26);
    server.send(&batch(Revision::V2025_03_26));
    // One array, or the answers one by one, are both allowed; each id is answered once.
    let mut answers = Vec::new();
    while answers.len() < 3 {
        match server.receive().value {
            Value::Array(several) => answers.extend(several),
            one => answers.push(one),
        }
    }
    let find = |id: &str| answers.iter().find(|answer| answer["id"] == id).expect("answered");
    assert_eq!(find("a")["result"]["content"][0]["text"], "in a batch");
    assert_eq!(find("b")["result"]["content"][0]["text"], "50");
    assert_eq!(find("c")["error"]["code"], -32601);
    assert_eq!(answers.len(), 3);

    // Notifications alone are answered with nothing, an empty batch is refused, and so is a handshake in one.
    server.send(&format!("[{INITIALIZED}]"));
    server.assert_quiet();
    server.send("[]");
    assert_eq!(server.receive().error_code(), Some(-32600));
}

#[test]
fn batches_are_refused_in_other_revisions() {
    for revision in [Revision::V2024_11_05, Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28] {
        let mut server = Server::connect("fixture", revision);
        // Its requests are not carried out, so they are not noted as asked either.
        let line = batch(revision) + "\n";
        server.send_unnoted(line.as_bytes());
        let answer = server.receive();
        assert_eq!(answer.error_code(), Some(-32600), "{revision}: {}", answer.text);
        assert!(answer.value.get("id").is_none());
        server.assert_quiet();
    }
    let mut server = Server::start("fixture");
    server.send_unnoted((batch(Revision::V2025_03_26) + "\n").as_bytes());
    assert_eq!(server.receive().error_code(), Some(-32600), "no session, no batch");
    let handshake = format!("[{}]\n", Revision::V2025_03_26.initialize(1));
    server.send_unnoted(handshake.as_bytes());
    assert_eq!(server.receive().error_code(), Some(-32600), "a handshake cannot be in a batch");
    server.assert_quiet();
}

#[test]
fn line_endings_indentation_and_blank_lines_are_accepted() {
    let mut server = Server::start("fixture");
    let line = |n: i64| echo(n, "x");
    let bytes = [
        format!("\u{feff}{}\n", line(1)),
        format!("{}\r\n", line(2)),
        "\n\r\n  \n\t\n".to_owned(),
        format!("  \t{}  \n", line(3)),
        format!("{}\n{}\n", line(4), line(5)),
    ];
    for bytes in bytes {
        server.send_bytes(bytes.as_bytes());
    }
    // Of the last line comes one half, a pause, and the other; it has no newline, but the input ends.
    let last = line(6);
    let (first, second) = last.split_at(last.len() / 2);
    server.send_bytes(first.as_bytes());
    std::thread::sleep(Duration::from_millis(20));
    server.send_bytes(second.as_bytes());
    server.note(last.as_bytes());
    server.close_input();
    for n in 1..=6 {
        assert_eq!(server.receive().value["id"], n);
    }
    assert!(server.next().is_none());
    assert!(server.wait().success());
}

#[test]
fn input_may_arrive_byte_by_byte() {
    let mut server = Server::start("fixture");
    let line = echo(1, "slowly \u{1F422}") + "\n";
    for byte in line.bytes() {
        server.send_bytes(&[byte]);
    }
    server.note(line.as_bytes());
    assert_eq!(server.receive().content_text(), "slowly \u{1F422}");
}

#[test]
fn the_result_does_not_depend_on_how_input_is_split() {
    let lines = [
        echo(1, "hello"),
        "not json".to_owned(),
        Revision::NEWEST.request("l", "server/discover", Value::Null),
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"é\"}\r".to_owned(),
        String::new(),
        echo(3, "the end"),
    ];
    let input = lines.join("\n") + "\n";
    let mut whole = Server::start("fixture");
    whole.send_bytes(input.as_bytes());
    let mut expected: Vec<String> = (0..5).map(|_| whole.receive().text).collect();
    whole.assert_quiet();
    expected.retain(|text| !text.contains("-32700"));
    expected.sort();

    // One server for all splits: each answer is complete before the next split begins.
    let mut server = Server::start("fixture");
    for at in 1..input.len() {
        server.note(input.as_bytes());
        server.send_unnoted(&input.as_bytes()[..at]);
        // Most splits reach the server as one read, unless it gets the time to see the first part.
        if at % 7 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        server.send_unnoted(&input.as_bytes()[at..]);
        let mut answers = Vec::new();
        while answers.len() < expected.len() {
            let answer = server.receive();
            // Broken lines are answered at most a few times a second, so their answers may be missing here.
            if answer.error_code() != Some(-32700) {
                answers.push(answer.text);
            }
        }
        // Requests run at the same time, so a busy machine may answer them in another order.
        answers.sort();
        assert_eq!(answers, expected, "split at {at}");
    }
}

#[test]
fn a_line_beyond_the_limit_is_refused_and_skipped() {
    let mut server = Server::setup("fixture").env("FIXTURE_MAX_LINE", "4096").start();
    for (n, size) in [5_000, 100_000, 1_000_000].into_iter().enumerate() {
        let long = echo(n as i64, &"x".repeat(size)) + "\n";
        server.note(long.as_bytes());
        server.send_unnoted(long.as_bytes());
        let answer = server.receive();
        assert_eq!(answer.error_code(), Some(-32600), "{}", answer.text);
        assert_eq!(server.exchange(&echo("ok", "x")).content_text(), "x");
    }
    // Just below the limit all is well.
    let fits = 4096 - echo("fits", "").len();
    assert_eq!(server.exchange(&echo("fits", &"x".repeat(fits))).content_text().len(), fits);
}

#[test]
fn a_long_line_costs_bounded_memory() {
    let mut server = Server::start("fixture");
    server.exchange(&echo(1, "x"));
    let before = server.resident();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        server.send_unnoted(&block);
    }
    server.send_unnoted(b"\n");
    assert_eq!(server.receive().error_code(), Some(-32600));
    assert_eq!(server.exchange(&echo(2, "x")).content_text(), "x");
    let (peak, grown) = (server.peak() - before, server.resident().saturating_sub(before));
    assert!(peak < 48 * 1024, "100 MiB without a newline cost {peak} KiB at the most");
    assert!(grown < 8 * 1024, "and {grown} KiB for good");
}

#[test]
fn an_oversized_message_never_gets_another_id() {
    let mut server = Server::setup("fixture").env("FIXTURE_MAX_LINE", "8192").start();
    // The examined part ends inside the number.
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
fn an_unreadable_response_gets_no_error() {
    let mut server = Server::setup("fixture").env("FIXTURE_MAX_LINE", "8192").start();
    let long = "y".repeat(9_000);
    let deep = "[".repeat(100) + &"]".repeat(100);
    // The client may have sent a request with the same id.
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

#[test]
fn frames_never_interleave() {
    // Answers of many sizes, from the reader, from tasks and from blocking threads, into a full pipe.
    let mut server = Server::setup("fixture").without_reading().start();
    let mut expected = Vec::new();
    for n in 0..60 {
        expected.push((server.begin_call("big", json!({"bytes": n * 1_000 + 1})), n * 1_000 + 1));
        expected.push((server.begin_call("late_big", json!({"bytes": n * 700 + 1})), n * 700 + 1));
        expected.push((server.begin_call("blocking_big", json!({"bytes": n * 300 + 1})), n * 300 + 1));
    }
    thread::sleep(Duration::from_millis(200));
    server.start_reading();
    for (id, bytes) in expected {
        assert_eq!(server.answer_to(&id).content_text().len(), bytes);
    }
}

#[test]
fn a_large_result_and_a_large_argument_pass() {
    let mut server = Server::start("fixture");
    let text = "ä".repeat(2_000_000);
    assert_eq!(server.call("echo", json!({"text": text})).content_text(), text);
    assert_eq!(server.call("big", json!({"bytes": 5_000_000})).content_text().len(), 5_000_000);
}

#[test]
fn deep_nesting_is_refused_with_its_id() {
    let mut server = Server::start("fixture");
    let nested = |id: i64, depth: usize| {
        let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        echo(id, "DEEP").replacen("\"DEEP\"", &deep, 1)
    };
    for (id, depth) in [(1, 65), (2, 1_000), (3, 100_000)] {
        let line = nested(id, depth) + "\n";
        server.note(echo(id, "x").as_bytes());
        server.send_unnoted(line.as_bytes());
        let answer = server.receive();
        assert_eq!(answer.error_code(), Some(-32600), "{}", answer.text);
        assert_eq!(answer.id(), Some(id.to_string().as_str()));
    }
    // Envelope, params and arguments are three levels; below the limit it is an argument of the wrong type.
    server.note(echo(4, "x").as_bytes());
    server.send_unnoted((nested(4, 60) + "\n").as_bytes());
    assert!(server.receive().is_tool_error());
    let start = Instant::now();
    server.send_unnoted(("[".repeat(5_000_000) + "\n").as_bytes());
    let answer = server.receive();
    assert!(matches!(answer.error_code(), Some(-32600 | -32700)), "{}", answer.text);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    server.assert_quiet();
}

#[test]
fn a_response_is_one_line_for_every_text() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        // The client takes no frame in which some other client would see the end of a line.
        let expected = "line one\nline two\r\n\"quoted\" \u{2028}\u{2029}\u{85}\u{0} \u{1b}[31m \\ \u{10ffff}";
        assert_eq!(server.call("awkward", json!({})).content_text(), expected);
        assert_eq!(server.call("echo", json!({"text": expected})).content_text(), expected);
    }
}

#[test]
fn every_log_event_in_json_is_one_line() {
    const TEXT: &str = "one\u{2028}two\u{2029}three\u{85}four\nfive é";
    let mut server = Server::connect("fixture", Revision::NEWEST);
    server.call("warn_operator", json!({"text": TEXT}));
    server.close_input();
    server.wait();
    let log = server.final_stderr();
    assert!(!log.contains(SEPARATORS), "{log:?}");
    let line = log.lines().find(|line| line.contains("a warning")).unwrap_or_else(|| panic!("no line: {log}"));
    let line: Value = serde_json::from_str(line).expect("a line is JSON");
    assert_eq!(line["fields"]["text"], TEXT);
}
