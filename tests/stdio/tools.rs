//! Tools: their published definitions, arguments and results, in every revision.

use serde_json::{Value, json};

use crate::support::{Revision, Server};
use Revision::*;

/// The published definition of one tool.
fn definition(server: &mut Server, name: &str) -> Value {
    let tools = server.ask("tools/list", Value::Null);
    let tools = tools.result()["tools"].as_array().expect("a list");
    tools.iter().find(|tool| tool["name"] == name).expect("the tool is listed").clone()
}

#[test]
fn a_decorated_tool_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let tool = definition(&mut server, "decorated");
        assert_eq!(tool["description"], "Has a title, every hint, tags, an icon and metadata.");
        let annotations = &tool["annotations"];
        if revision >= V2025_03_26 {
            assert_eq!(annotations["readOnlyHint"], true);
            assert_eq!(annotations["idempotentHint"], true);
            assert_eq!(annotations["openWorldHint"], false);
        } else {
            assert!(annotations.is_null());
        }
        if revision >= V2025_06_18 {
            assert_eq!(tool["title"], "Everything at once");
            assert_eq!(tool["_meta"]["com.example/team"], "billing");
            assert_eq!(tool["_meta"]["fastmcp"]["tags"], json!(["one", "two"]));
        } else {
            assert!(tool.get("title").is_none() && tool.get("_meta").is_none());
        }
        assert_eq!(tool["icons"][0]["src"] == "https://example.com/icon.png", revision >= V2025_11_25);
    }
}

#[test]
fn a_plain_tool_is_published_without_optional_members() {
    let mut server = Server::start("fixture");
    let tool = definition(&mut server, "nothing");
    assert_eq!(
        tool,
        json!({
            "name": "nothing",
            "title": "Nothing",
            "description": "Has no arguments and no result.",
            "inputSchema": {"type": "object", "properties": {}, "additionalProperties": false},
        })
    );
    let add = definition(&mut server, "add");
    let properties = json!({"a": {"type": "integer"}, "b": {"type": "integer"}});
    let expected = json!({
        "type": "object",
        "properties": properties,
        "required": ["a", "b"],
        "additionalProperties": false,
    });
    assert_eq!(add["inputSchema"], expected);
    // An injected parameter is not an argument.
    let count = definition(&mut server, "count");
    assert_eq!(count["inputSchema"]["required"], json!(["steps"]));
    let waiting = definition(&mut server, "wait_forever");
    assert_eq!(waiting["inputSchema"], json!({"type": "object", "properties": {}, "additionalProperties": false}));
}

#[test]
fn every_published_schema_is_valid() {
    for name in ["fixture", "hello", "order_manager"] {
        for revision in [V2024_11_05, V2025_11_25, V2026_07_28] {
            let folder = crate::support::Folder::new();
            let mut server = Server::setup(name).current_dir(folder.path()).start();
            server.open(revision);
            let tools = server.ask("tools/list", Value::Null);
            for tool in tools.result()["tools"].as_array().expect("a list") {
                for schema in ["inputSchema", "outputSchema"].into_iter().filter_map(|key| tool.get(key)) {
                    assert!(jsonschema::draft202012::meta::is_valid(schema), "{tool}");
                }
                assert!(tool["description"].as_str().is_some_and(|text| !text.is_empty()), "{tool}");
            }
        }
    }
}

#[test]
fn a_tool_of_a_library_crate_is_served() {
    let mut server = Server::start("fixture");
    let answer = server.call("double_money", json!({"money": {"cents": 2, "currency": "USD"}}));
    assert_eq!(answer.result()["structuredContent"], json!({"cents": 4, "currency": "USD"}));
}

#[test]
fn large_integers_arrive_exactly() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let sum = server.call("add", json!({"a": 9_007_199_254_740_993_i64, "b": 0}));
        assert_eq!(sum.content_text(), "9007199254740993");
        let sum = server.call("add", json!({"a": i64::MAX, "b": -1}));
        assert_eq!(sum.content_text(), "9223372036854775806");
    }
}

#[test]
fn a_long_list_has_pages() {
    for revision in Revision::ALL {
        let mut server = Server::setup("fixture").env("FIXTURE_PAGE_SIZE", "7").start();
        server.open(revision);
        let mut names = Vec::new();
        let mut params = Value::Null;
        let mut cursors = Vec::new();
        loop {
            let page = server.ask("tools/list", params);
            let tools = page.result()["tools"].as_array().expect("a list");
            names.extend(tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()));
            let Some(cursor) = page.result().get("nextCursor") else { break };
            assert_eq!(tools.len(), 7, "only the last page is shorter");
            cursors.push(cursor.clone());
            params = json!({"cursor": cursor});
        }
        let mut whole = Server::connect("fixture", revision);
        let all = whole.ask("tools/list", Value::Null);
        let all = all.result()["tools"].as_array().expect("a list");
        let all: Vec<&str> = all.iter().filter_map(|tool| tool["name"].as_str()).collect();
        assert_eq!(names, all);
        // A cursor is good for any instance of the server, and any number of times.
        let mut other = Server::setup("fixture").env("FIXTURE_PAGE_SIZE", "7").start();
        other.open(revision);
        for cursor in &cursors {
            let params = json!({"cursor": cursor});
            let page = server.ask("tools/list", params.clone());
            assert_eq!(page.result(), other.ask("tools/list", params).result());
        }
    }
}

#[test]
fn a_mirrored_header_is_published_in_the_revisions_that_have_it() {
    let mut server = Server::start("fixture");
    let region = definition(&mut server, "routed")["inputSchema"]["properties"]["region"].clone();
    assert_eq!(region["x-mcp-header"], "Region");
    assert_eq!(server.call("routed", json!({"region": "eu"})).content_text(), "eu");
}

#[test]
fn every_kind_of_argument_is_published() {
    let mut server = Server::start("fixture");
    let schema = definition(&mut server, "kinds")["inputSchema"].clone();
    let properties = &schema["properties"];
    assert_eq!(properties["whole"], json!({"type": "integer"}));
    assert_eq!(properties["small"], json!({"type": "integer", "minimum": 0, "maximum": 255}));
    assert_eq!(properties["real"], json!({"type": "number"}));
    assert_eq!(properties["flag"], json!({"type": "boolean"}));
    assert_eq!(properties["note"]["type"], "string");
    assert_eq!(properties["limit"]["default"], 10);
    assert_eq!((&properties["limit"]["minimum"], &properties["limit"]["maximum"]), (&json!(1), &json!(50)));
    assert_eq!(properties["speed"]["enum"], json!(["Standard", "Express"]));
    assert_eq!(properties["items"]["items"]["properties"]["quantity"]["maximum"], 1000);
    assert_eq!(properties["items"]["items"]["properties"]["sku"]["maxLength"], 12);
    assert_eq!(properties["labels"]["additionalProperties"], json!({"type": "integer"}));
    let mut required = schema["required"].as_array().expect("a list").clone();
    required.sort_by_key(ToString::to_string);
    assert_eq!(json!(required), json!(["flag", "items", "labels", "real", "small", "speed", "text", "whole"]));
    assert!(schema.get("$schema").is_none() && schema.get("title").is_none(), "{schema}");
    assert!(!schema.to_string().contains("\"format\""), "{schema}");
}

/// Arguments that `kinds` takes.
fn good() -> Value {
    json!({
        "whole": -3, "small": 200, "real": 2.5, "text": "t", "flag": true, "speed": "Express",
        "items": [{"sku": "A1", "quantity": 2}], "labels": {"a": 1},
    })
}

#[test]
fn every_kind_of_argument_arrives() {
    let expected = r#"-3 200 2.5 t true Express ["2xA1"] {"a": 1} None 10"#;
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        assert_eq!(server.call("kinds", good()).content_text(), expected);
    }
    let mut server = Server::start("fixture");
    let mut arguments = good();
    arguments["note"] = Value::Null;
    assert_eq!(server.call("kinds", arguments).content_text(), expected, "null counts as absent");
    let mut arguments = good();
    arguments["whole"] = json!("-3.0");
    arguments["small"] = json!("200");
    arguments["flag"] = json!("true");
    arguments["items"] = json!(r#"[{"sku":"A1","quantity":"2"}]"#);
    arguments["labels"] = json!(r#"{"a":1}"#);
    assert_eq!(server.call("kinds", arguments.clone()).content_text(), expected, "values inside strings are taken");
    let mut strict = Server::setup("fixture").env("FIXTURE_STRICT", "1").start();
    assert!(strict.call("kinds", arguments).is_tool_error(), "unless the server is strict");
}

#[test]
fn every_argument_error_is_reported_at_once() {
    let mut arguments = good();
    arguments["small"] = json!(256);
    arguments["flag"] = json!("maybe");
    arguments["speed"] = json!("Expres");
    arguments["items"] = json!([{"sku": "A1", "quantity": 1}, {"sku": "", "quantity": 5000}]);
    arguments["tekst"] = json!("t");
    arguments.as_object_mut().expect("an object").remove("text");
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let answer = server.call("kinds", arguments.clone());
        assert!(answer.is_tool_error(), "{}", answer.text);
        let text = answer.content_text();
        for part in ["small", "256", "flag", "maybe", "speed", "Express", "quantity", "5000", "sku", "tekst", "text"] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(text.contains("items/1/quantity") || text.contains("items[1].quantity"), "a path, in {text}");
    }
}

#[test]
fn constraints_of_arguments_are_enforced() {
    let mut server = Server::start("fixture");
    let good = json!({"number": 1, "text": "ab", "orderId": "ORD-7"});
    assert_eq!(server.call("constrained", good).content_text(), "1 ab ORD-7");
    let bad = [
        json!({"number": 0, "text": "ab", "orderId": "ORD-7"}),
        json!({"number": 11, "text": "ab", "orderId": "ORD-7"}),
        json!({"number": 1, "text": "a", "orderId": "ORD-7"}),
        json!({"number": 1, "text": "abcde", "orderId": "ORD-7"}),
        json!({"number": 1, "text": "ab", "orderId": "ORD-"}),
        json!({"number": 1, "text": "ab", "order_id": "ORD-7"}),
        json!({"number": 1.5, "text": "ab", "orderId": "ORD-7"}),
        json!({}),
    ];
    for arguments in bad {
        let answer = server.call("constrained", arguments.clone());
        assert!(answer.is_tool_error(), "{arguments}: {}", answer.text);
    }
    // Lengths are counted in characters, as JSON Schema has it.
    let four = json!({"number": 10.0, "text": "äöü€", "orderId": "ORD-7"});
    assert_eq!(server.call("constrained", four).content_text(), "10 äöü€ ORD-7");
}

#[test]
fn arguments_may_be_absent_for_a_tool_without_parameters() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        for params in [json!({"name": "nothing"}), json!({"name": "nothing", "arguments": {}})] {
            let answer = server.ask("tools/call", params);
            assert_eq!(answer.result()["content"], json!([]), "{}", answer.text);
        }
        let answer = server.ask("tools/call", json!({"name": "nothing", "arguments": {"x": 1}}));
        assert!(answer.is_tool_error(), "{}", answer.text);
    }
}

#[test]
fn structured_output_in_every_revision() {
    let point = json!({"x": 1.5, "y": -2.0});
    let points = json!([{"x": 1.0, "y": 2.0}]);
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let object = server.call("point", json!({}));
        let list = server.call("points", json!({}));
        let text = |frame: &crate::support::Frame| -> Value { serde_json::from_str(frame.content_text()).unwrap() };
        assert_eq!(text(&object), point);
        assert_eq!(text(&list), points);
        let schema = definition(&mut server, "points").get("outputSchema").cloned();
        match revision {
            V2024_11_05 | V2025_03_26 => {
                assert!(object.result().get("structuredContent").is_none());
                assert_eq!(schema, None);
            }
            V2025_06_18 | V2025_11_25 => {
                assert_eq!(object.result()["structuredContent"], point);
                assert_eq!(list.result()["structuredContent"], json!({"result": points}));
                assert_eq!(list.result()["_meta"]["fastmcp"]["wrap_result"], true);
                let schema = schema.expect("an output schema");
                assert_eq!(schema["type"], "object");
                assert_eq!(schema["x-fastmcp-wrap-result"], true);
                assert_eq!(schema["properties"]["result"]["type"], "array");
                assert!(object.result()["_meta"]["fastmcp"].is_null(), "an object is not wrapped");
            }
            V2026_07_28 => {
                assert_eq!(object.result()["structuredContent"], point);
                assert_eq!(list.result()["structuredContent"], points);
                let schema = schema.expect("an output schema");
                assert_eq!(schema["type"], "array");
                assert!(schema.get("x-fastmcp-wrap-result").is_none());
            }
        }
    }
}

#[test]
fn structured_output_matches_the_schema_it_is_published_with() {
    for revision in [V2025_06_18, V2025_11_25, V2026_07_28] {
        let mut server = Server::connect("fixture", revision);
        for name in ["point", "points"] {
            let schema = definition(&mut server, name)["outputSchema"].clone();
            let answer = server.call(name, json!({}));
            let validator = jsonschema::validator_for(&schema).expect("a valid schema");
            let structured = &answer.result()["structuredContent"];
            assert!(validator.is_valid(structured), "{structured} by {schema}");
        }
    }
}

#[test]
fn a_unit_result_is_empty_content() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        for tool in ["nothing", "no_text"] {
            let answer = server.call(tool, json!({}));
            assert_eq!(answer.result()["content"], json!([]), "{}", answer.text);
            assert!(!answer.is_tool_error());
        }
        // A tool with an output schema owes a structured value, and null is one.
        let answer = server.call("no_point", json!({}));
        assert_eq!(answer.content_text(), "null");
        if revision.is_modern() {
            assert_eq!(answer.result().get("structuredContent"), Some(&Value::Null));
        }
    }
}

#[test]
fn a_tool_result_controls_all_members_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let full = server.call("full", json!({}));
        assert_eq!(full.content_text(), "in words");
        assert!(full.is_tool_error());
        assert_eq!(full.result()["structuredContent"] == json!({"n": null}), revision >= V2025_06_18);
        assert_eq!(full.result()["_meta"]["com.example/cost"], 3);
    }
}

#[test]
fn media_have_the_form_of_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let mut block = |tool: &str| server.call(tool, json!({})).result()["content"][0].clone();
        assert_eq!(block("image"), json!({"type": "image", "data": "iVBORw==", "mimeType": "image/png"}));
        let audio = block("audio");
        if revision >= V2025_03_26 {
            assert_eq!(audio, json!({"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"}));
        } else {
            assert_eq!(audio["type"], "text");
            assert!(audio["text"].as_str().is_some_and(|text| text.contains("audio/wav")), "{audio}");
        }
        let link = block("link");
        if revision >= V2025_06_18 {
            let (uri, name, title) = ("https://example.com/report", "report", "The report");
            assert_eq!(link, json!({"type": "resource_link", "uri": uri, "name": name, "title": title}));
        } else {
            assert_eq!(link["type"], "text");
            assert!(link["text"].as_str().is_some_and(|text| text.contains("https://example.com/report")), "{link}");
        }
        let resource = json!({"uri": "note://1", "text": "a note", "mimeType": "text/plain"});
        assert_eq!(block("embedded"), json!({"type": "resource", "resource": resource}));
        let mixed = server.call("mixed", json!({}));
        assert_eq!(mixed.result()["content"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn results_have_only_the_members_of_their_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let call = server.call("echo", json!({"text": "x"}));
        if revision.is_modern() {
            assert_eq!(call.result()["resultType"], "complete");
            assert!(call.result().get("ttlMs").is_none() && call.result().get("cacheScope").is_none());
            let list = server.ask("tools/list", Value::Null);
            assert!(list.result()["ttlMs"].is_u64() && list.result()["cacheScope"].is_string());
            for result in [call.result(), list.result()] {
                assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fixture");
            }
        } else {
            assert_eq!(server.ask("ping", Value::Null).result(), &json!({}));
            assert_eq!(server.ask("logging/setLevel", json!({"level": "info"})).result(), &json!({}));
        }
        // No member is ever null: the schemas forbid it where a client would stumble.
        let list = server.ask("tools/list", Value::Null);
        assert!(list.result().get("nextCursor").is_none(), "one page");
        assert!(!list.text.contains(":null"), "{}", list.text);
    }
}

#[test]
fn a_failed_tool_returns_an_error_result() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let failed = server.call("fail", json!({"text": "the shop is closed on Sundays"}));
        assert!(failed.is_tool_error());
        assert_eq!(failed.content_text(), "the shop is closed on Sundays");
        for tool in ["fail_inside", "fail_foreign", "panic_now", "panic_later", "panic_blocking"] {
            let masked = server.call(tool, json!({}));
            assert!(masked.is_tool_error(), "{}", masked.text);
            for secret in ["canary", "10.0.0.7", "No such file", "panicked"] {
                assert!(!masked.text.contains(secret), "{}", masked.text);
            }
        }
    }
}

#[test]
fn a_masked_error_is_logged_with_the_id_in_its_result() {
    let mut server = Server::start("fixture");
    for (tool, logged) in [("fail_inside", "No such file"), ("fail_foreign", "canary"), ("panic_now", "canary")] {
        let masked = server.call(tool, json!({}));
        let words = masked.content_text().split(|c: char| !c.is_ascii_hexdigit());
        let id = words.max_by_key(|word| word.len()).expect("a word").to_owned();
        assert!(id.len() >= 6, "an id in {}", masked.text);
        server.wait_for_stderr(&id);
        let stderr = server.stderr();
        let line = stderr.lines().find(|line| line.contains(&id)).expect("it is there");
        assert!(line.contains(logged) && line.contains(tool), "{line}");
    }
}

#[test]
fn unmasked_errors_of_tools_are_shown() {
    let mut server = Server::setup("fixture").env("FIXTURE_SHOW_ERRORS", "1").start();
    let shown = server.call("fail_foreign", json!({}));
    assert!(shown.is_tool_error());
    assert!(shown.content_text().contains("secret-canary at 10.0.0.7"), "{}", shown.text);
}
