//! The era of each message, and every refusal of a request before a tool runs.

use serde_json::{Map, Value, json};

use crate::support::revision::{INITIALIZED, envelope, initialize};
use crate::support::{Revision, Server};

const SUPPORTED: [&str; 5] = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

fn discover(id: &str) -> String {
    Revision::NEWEST.request(id, "server/discover", Value::Null)
}

/// A request with any `_meta` at all.
fn with_meta(id: i64, method: &str, meta: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"_meta": meta}}).to_string()
}

fn envelope_of(version: Value) -> Map<String, Value> {
    let mut meta = envelope();
    meta.insert("io.modelcontextprotocol/protocolVersion".into(), version);
    meta
}

#[test]
fn discover_needs_nothing_before_it() {
    let mut server = Server::start("fixture");
    let answer = server.exchange(&discover("d"));
    let result = answer.result();
    assert_eq!(result["supportedVersions"], json!(SUPPORTED));
    assert_eq!(result["resultType"], "complete");
    assert!(result["ttlMs"].is_u64(), "{result}");
    assert!(result["cacheScope"] == "private" || result["cacheScope"] == "public", "{result}");
    assert!(result["capabilities"]["tools"].is_object(), "{result}");
    assert!(result["capabilities"]["logging"].is_object(), "{result}");
    assert_eq!(result["instructions"], "Nothing here is useful.");
    assert!(result.get("serverInfo").is_none(), "{result}");
    let info = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!((&info["name"], &info["version"]), (&json!("fixture"), &json!("1.2.3")));
}

#[test]
fn initialize_returns_the_requested_revision() {
    for revision in Revision::LEGACY {
        let mut server = Server::start("fixture");
        let answer = server.exchange(&revision.initialize(1));
        let result = answer.result();
        assert_eq!(result["protocolVersion"], revision.name());
        assert_eq!(result["serverInfo"]["name"], "fixture");
        assert_eq!(result["serverInfo"]["version"], "1.2.3");
        assert_eq!(result["instructions"], "Nothing here is useful.");
        assert!(result["capabilities"]["tools"].is_object(), "{result}");
    }
}

#[test]
fn initialize_never_returns_a_modern_revision() {
    for asked in ["2026-07-28", "2099-01-01", "1999-01-01", "draft", ""] {
        let mut server = Server::start("hello");
        let answer = server.exchange(&initialize(1, asked));
        assert_eq!(answer.result()["protocolVersion"], "2025-11-25", "asked for {asked}");
    }
}

#[test]
fn initialize_without_its_parameters_is_refused_and_opens_no_session() {
    let mut server = Server::start("hello");
    for params in [json!({}), json!({"protocolVersion": 7, "capabilities": {}, "clientInfo": {}})] {
        let line = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string();
        assert_eq!(server.exchange(&line).error_code(), Some(-32602));
    }
    server.open(Revision::V2025_06_18);
    assert_eq!(server.ask("ping", Value::Null).result(), &json!({}));
}

#[test]
fn initialize_accepts_unknown_capabilities() {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {
            "roots": {"listChanged": true}, "sampling": {"tools": {}}, "experimental": {"x": 1}, "someday": [1],
            "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}},
        },
        "clientInfo": {"name": "c", "version": "1", "title": "C", "icons": [], "someday": {}},
        "_meta": {"com.example/x": 1},
    });
    let mut server = Server::start("fixture");
    let line = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string();
    assert_eq!(server.exchange(&line).result()["protocolVersion"], "2025-11-25");
}

#[test]
fn a_second_initialize_is_refused_and_changes_nothing() {
    let mut server = Server::connect("fixture", Revision::V2025_03_26);
    let answer = server.exchange(&initialize(9, "2025-11-25"));
    assert_eq!(answer.error_code(), Some(-32600));
    let point = server.call("point", json!({}));
    assert!(point.result().get("structuredContent").is_none(), "still 2025-03-26: {}", point.text);
}

#[test]
fn requests_between_initialize_and_initialized_are_served() {
    for revision in Revision::LEGACY {
        let mut server = Server::start("hello");
        server.exchange(&revision.initialize(1));
        let tools = server.exchange(&revision.request(2, "tools/list", Value::Null));
        assert_eq!(tools.result()["tools"].as_array().map(Vec::len), Some(1));
        server.send(INITIALIZED);
        assert_eq!(server.exchange(&revision.request(3, "ping", Value::Null)).result(), &json!({}));
    }
}

#[test]
fn a_probe_and_a_handshake_may_be_pipelined() {
    for revision in Revision::LEGACY {
        let mut server = Server::start("fixture");
        let call = revision.request("c", "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
        let lines = [discover("p"), revision.initialize("i"), INITIALIZED.to_owned(), call];
        server.send_bytes((lines.join("\n") + "\n").as_bytes());
        assert_eq!(server.answer_to("\"p\"").result()["supportedVersions"], json!(SUPPORTED));
        assert_eq!(server.answer_to("\"i\"").result()["protocolVersion"], revision.name());
        assert_eq!(server.answer_to("\"c\"").content_text(), "hi");
    }
}

#[test]
fn a_probe_for_an_unknown_revision_does_not_take_the_pipe() {
    for revision in Revision::LEGACY {
        let mut server = Server::start("fixture");
        let probe = server.exchange(&with_meta(1, "server/discover", envelope_of("2027-03-01".into()).into()));
        assert_eq!(probe.error_code(), Some(-32022));
        let data = &probe.value["error"]["data"];
        assert_eq!(data, &json!({"supported": SUPPORTED, "requested": "2027-03-01"}));
        server.open(revision);
        assert_eq!(server.call("echo", json!({"text": "hi"})).content_text(), "hi");
    }
}

#[test]
fn both_eras_share_one_pipe() {
    for revision in Revision::LEGACY {
        let mut server = Server::connect("fixture", revision);
        for n in 0..10 {
            let legacy = server.call("points", json!({}));
            let structured = &legacy.result()["structuredContent"];
            match revision {
                Revision::V2025_06_18 | Revision::V2025_11_25 => assert!(structured["result"].is_array()),
                _ => assert!(structured.is_null()),
            }
            let call = json!({"name": "points", "arguments": {}});
            let modern = server.exchange(&Revision::NEWEST.request(format!("m{n}"), "tools/call", call));
            assert!(modern.result()["structuredContent"].is_array(), "{}", modern.text);
            // A modern ping does not exist, even in a session; a legacy one does.
            let ping = server.exchange(&Revision::NEWEST.request(format!("p{n}"), "ping", Value::Null));
            assert_eq!(ping.error_code(), Some(-32601));
            assert_eq!(server.ask("ping", Value::Null).result(), &json!({}));
        }
    }
}

#[test]
fn a_modern_request_does_not_depend_on_earlier_ones() {
    let mut server = Server::connect("fixture", Revision::V2025_11_25);
    server.ask("logging/setLevel", json!({"level": "debug"}));
    let call = json!({"name": "log_levels", "arguments": {}});
    let answer = server.exchange(&Revision::NEWEST.request("m", "tools/call", call));
    assert!(answer.result()["content"].is_array());
    assert!(server.take_early().is_empty(), "the level belongs to the legacy session");
}

/// Step 1 of the ladder.
#[test]
fn an_incomplete_envelope_is_refused() {
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    let cases = [
        (json!({version: "2026-07-28"}), capabilities),
        (json!({version: "2026-07-28", capabilities: 1}), capabilities),
        (json!({version: "2026-07-28", capabilities: null}), capabilities),
        (json!({version: "2026-07-28", capabilities: []}), capabilities),
        (json!({version: 20260728, capabilities: {}}), version),
        (json!({version: null, capabilities: {}}), version),
        (json!({version: ["2026-07-28"], capabilities: {}}), version),
    ];
    let mut server = Server::start("fixture");
    for method in ["server/discover", "tools/list", "no/such/method"] {
        for (id, (meta, named)) in cases.iter().enumerate() {
            let answer = server.exchange(&with_meta(id as i64, method, meta.clone()));
            assert_eq!(answer.error_code(), Some(-32602), "{}", answer.text);
            let message = answer.value["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains(named), "{message:?} names {named}");
        }
    }
}

#[test]
fn a_request_of_neither_era_names_the_missing_keys() {
    let mut server = Server::start("fixture");
    for (id, method) in ["tools/list", "tools/call", "server/discover", "no/such/method"].iter().enumerate() {
        let answer = server.exchange(&Revision::V2025_11_25.request(id as i64, method, Value::Null));
        assert_eq!(answer.error_code(), Some(-32602), "{}", answer.text);
        let message = answer.value["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("io.modelcontextprotocol/protocolVersion"), "{message}");
        assert!(message.contains("io.modelcontextprotocol/clientCapabilities"), "{message}");
    }
    // `_meta` without the version says nothing about the era either.
    let answer = server.exchange(&with_meta(9, "tools/list", json!({"progressToken": 1})));
    assert_eq!(answer.error_code(), Some(-32602));
}

/// Step 3 of the ladder, which comes before the method and its parameters.
#[test]
fn an_unknown_version_is_refused_before_the_method() {
    let mut server = Server::start("fixture");
    for method in ["server/discover", "tools/call", "no/such/method", "initialize"] {
        for version in ["2027-01-01", "2026-07-29", "", " 2026-07-28", "2025-11-25", "2024-11-05"] {
            let answer = server.exchange(&with_meta(1, method, envelope_of(version.into()).into()));
            assert_eq!(answer.error_code(), Some(-32022), "{}", answer.text);
            assert_eq!(answer.value["error"]["data"]["requested"], version);
            assert_eq!(answer.value["error"]["data"]["supported"], json!(SUPPORTED));
        }
    }
    let legacy = server.exchange(&with_meta(1, "tools/list", envelope_of("2025-11-25".into()).into()));
    let message = legacy.value["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("initialize"), "it says how to get that revision: {message}");
}

/// Step 5 of the ladder.
#[test]
fn undeclared_methods_are_not_found() {
    let modern = [
        "no/such/method",
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/list",
        "prompts/get",
        "completion/complete",
        "tasks/get",
        "tasks/result",
        "tasks/list",
        "Tools/List",
        "",
    ];
    let mut server = Server::start("hello");
    for method in modern {
        let answer = server.ask(method, Value::Null);
        assert_eq!(answer.error_code(), Some(-32601), "{method:?}: {}", answer.text);
    }
    for revision in Revision::LEGACY {
        let mut server = Server::connect("hello", revision);
        let legacy = modern.into_iter().filter(|method| !["initialize", "ping", "logging/setLevel"].contains(method));
        for method in legacy.chain(["server/discover", "subscriptions/listen"]) {
            let answer = server.ask(method, Value::Null);
            assert_eq!(answer.error_code(), Some(-32601), "{method:?} in {revision}: {}", answer.text);
        }
    }
}

/// A modern envelope goes before the name of the method, even inside a legacy session.
#[test]
fn initialize_with_a_modern_envelope_is_not_a_handshake() {
    let mut server = Server::start("fixture");
    let mut meta = initialize_params();
    meta["_meta"] = envelope().into();
    let line = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": meta}).to_string();
    assert_eq!(server.exchange(&line).error_code(), Some(-32601));
    // It opened no session.
    let bare = server.exchange(&Revision::V2025_11_25.request(2, "tools/list", Value::Null));
    assert_eq!(bare.error_code(), Some(-32602));
    server.open(Revision::V2025_11_25);
    assert_eq!(server.exchange(&line).error_code(), Some(-32601));
}

fn initialize_params() -> Value {
    json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}})
}

/// Step 6 of the ladder.
#[test]
fn parameters_of_the_wrong_shape_are_refused() {
    let calls = [
        json!({}),
        json!({"name": 1}),
        json!({"name": null}),
        json!({"name": "echo", "arguments": []}),
        json!({"name": "echo", "arguments": "text"}),
        json!({"name": "echo", "arguments": 1}),
        json!({"name": "no_such_tool", "arguments": {}}),
        json!({"name": "", "arguments": {}}),
        json!({"name": "Echo", "arguments": {"text": "x"}}),
    ];
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        for params in &calls {
            let answer = server.ask("tools/call", params.clone());
            assert_eq!(answer.error_code(), Some(-32602), "{params} in {revision}: {}", answer.text);
        }
        for cursor in [json!(""), json!("no such cursor"), json!(1), json!("AAAA")] {
            let answer = server.ask("tools/list", json!({"cursor": cursor}));
            assert_eq!(answer.error_code(), Some(-32602), "{cursor} in {revision}: {}", answer.text);
        }
    }
}

#[test]
fn parameters_that_are_not_an_object_are_refused() {
    let mut server = Server::connect("fixture", Revision::V2025_11_25);
    for params in ["[]", "1", "\"x\"", "[{}]"] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{params}}}"#);
        let code = server.exchange(&line).error_code();
        assert!(matches!(code, Some(-32600 | -32602)), "{line}: {code:?}");
    }
}

#[test]
fn an_unknown_log_level_is_refused() {
    let mut server = Server::start("fixture");
    let call = json!({"name": "log_levels", "arguments": {}});
    for level in [json!("loud"), json!(""), json!("WARNING"), json!(3), json!(null)] {
        let meta = json!({"io.modelcontextprotocol/logLevel": level});
        let answer = server.ask_with_meta("tools/call", call.clone(), meta);
        assert_eq!(answer.error_code(), Some(-32602), "{}", answer.text);
    }
}

#[test]
fn an_unknown_tool_is_named_with_the_nearest_one() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let answer = server.call("pionts", json!({}));
        assert_eq!(answer.error_code(), Some(-32602));
        let message = answer.value["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("pionts") && message.contains("points"), "{message}");
    }
}

#[test]
fn client_info_is_optional_and_unknown_members_are_ignored() {
    let mut server = Server::start("fixture");
    let more = json!({
        "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1", "someday": [1]},
        "com.example/unknown": {"deep": [1, {"x": null}]},
        "traceparent": "not a trace parent",
    });
    let call = json!({"name": "echo", "arguments": {"text": "x"}, "task": {"ttl": 1}, "unknown": 1});
    assert_eq!(server.ask_with_meta("tools/call", call.clone(), more).content_text(), "x");
    assert_eq!(server.ask("tools/call", call).content_text(), "x");
    let line = Revision::NEWEST.request(77, "server/discover", Value::Null);
    let line = line.replacen('{', r#"{"someday":true,"#, 1);
    assert!(server.exchange(&line).result().is_object());
}

#[test]
fn errors_of_one_era_are_never_sent_in_the_other() {
    for revision in Revision::LEGACY {
        let mut server = Server::connect("fixture", revision);
        let answers = [
            server.ask("no/such/method", Value::Null),
            server.ask("tools/call", json!({"name": "no_such_tool"})),
            server.ask("tools/list", json!({"cursor": "x"})),
            server.exchange(&initialize(99, "2025-11-25")),
        ];
        for answer in answers {
            let code = answer.error_code().expect("an error");
            assert!([-32600, -32601, -32602].contains(&code), "{}", answer.text);
        }
    }
}

#[test]
fn the_list_is_the_same_for_every_peer_and_at_any_time() {
    let mut server = Server::start("fixture");
    let names = |server: &mut Server| -> Vec<String> {
        let tools = server.ask("tools/list", Value::Null);
        let tools = tools.result()["tools"].as_array().expect("a list");
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    };
    let first = names(&mut server);
    let mut sorted = first.clone();
    sorted.sort();
    assert_eq!(first, sorted);
    server.call("echo", json!({"text": "x"}));
    assert_eq!(names(&mut server), first);
    server.open(Revision::V2024_11_05);
    assert_eq!(names(&mut server), first);
}
