//! Resources, prompts and completions, in every revision.

use serde_json::{Value, json};

use crate::support::{Frame, Revision, Server};
use Revision::*;

/// The lists that a server may have: the method, and the member of its result.
const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
    ("prompts/list", "prompts"),
];

fn list(server: &mut Server, method: &str, member: &str) -> Vec<Value> {
    server.ask(method, Value::Null).result()[member].as_array().expect("a list").clone()
}

/// The entry of a list in which a member has a value.
fn entry(server: &mut Server, method: &str, key: &str, value: &str) -> Value {
    let (_, member) = LISTS.iter().find(|(name, _)| *name == method).expect("a list");
    let mut entries = list(server, method, member).into_iter();
    entries.find(|entry| entry[key] == value).unwrap_or_else(|| panic!("{value} is not in {method}"))
}

fn read(server: &mut Server, uri: &str) -> Frame {
    server.ask("resources/read", json!({"uri": uri}))
}

/// The only item of a resource.
#[track_caller]
fn item(server: &mut Server, uri: &str) -> Value {
    let answer = read(server, uri);
    let contents = answer.result()["contents"].as_array().expect("a list").clone();
    assert_eq!(contents.len(), 1, "{}", answer.text);
    contents.into_iter().next().expect("one item")
}

#[track_caller]
fn text_of(server: &mut Server, uri: &str) -> String {
    item(server, uri)["text"].as_str().expect("a text").to_owned()
}

fn get(server: &mut Server, prompt: &str, arguments: Value) -> Frame {
    server.ask("prompts/get", json!({"name": prompt, "arguments": arguments}))
}

/// The text of a prompt's only message.
#[track_caller]
fn message_of(server: &mut Server, prompt: &str, arguments: Value) -> String {
    let answer = get(server, prompt, arguments);
    let messages = answer.result()["messages"].as_array().expect("a list");
    assert_eq!(messages.len(), 1, "{}", answer.text);
    assert_eq!(messages[0]["role"], "user");
    messages[0]["content"]["text"].as_str().expect("a text").to_owned()
}

fn of_prompt(prompt: &str, argument: &str, typed: &str) -> Value {
    json!({"ref": {"type": "ref/prompt", "name": prompt}, "argument": {"name": argument, "value": typed}})
}

fn of_template(uri: &str, variable: &str, typed: &str) -> Value {
    json!({"ref": {"type": "ref/resource", "uri": uri}, "argument": {"name": variable, "value": typed}})
}

#[track_caller]
fn completed(server: &mut Server, params: Value) -> Value {
    server.ask("completion/complete", params).result()["completion"].clone()
}

#[track_caller]
fn refused(answer: &Frame, code: i64, named: &str) {
    assert_eq!(answer.error_code(), Some(code), "{}", answer.text);
    let message = answer.value["error"]["message"].as_str().expect("a message");
    assert!(message.contains(named), "{message:?} has {named:?}");
}

fn capabilities(name: &str, revision: Revision) -> Value {
    let mut server = Server::start(name);
    if revision.is_modern() {
        return server.ask("server/discover", Value::Null).result()["capabilities"].clone();
    }
    server.exchange(&revision.initialize(1)).result()["capabilities"].clone()
}

#[test]
fn capabilities_are_declared_exactly_when_they_are_served() {
    for revision in Revision::ALL {
        let everything = capabilities("fixture", revision);
        for name in ["tools", "prompts", "logging"] {
            assert_eq!(everything[name], json!({}), "{name} in {revision}");
        }
        assert_eq!(everything["resources"], json!({"subscribe": true}), "{revision}");
        // 2024-11-05 has the method, but no such capability.
        assert_eq!(everything.get("completions").is_some(), revision >= V2025_03_26);
        assert_eq!(capabilities("hello", revision), json!({"tools": {}}));
        assert_eq!(capabilities("resources", revision), json!({"resources": {"subscribe": true}}));
        // A function that completes may take the context, and so send log messages.
        let mut prompts = json!({"prompts": {}, "completions": {}, "logging": {}});
        if revision < V2025_03_26 {
            prompts = json!({"prompts": {}, "logging": {}});
        }
        assert_eq!(capabilities("prompts", revision), prompts);
    }
}

/// A method of an undeclared capability is not found, even if the request is malformed.
#[test]
fn methods_of_an_undeclared_capability_are_not_found() {
    let methods = [
        ("tools/list", "hello"),
        ("tools/call", "hello"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resources"),
        ("resources/read", "resources"),
        ("prompts/list", "prompts"),
        ("prompts/get", "prompts"),
        ("completion/complete", "prompts"),
    ];
    for revision in Revision::ALL {
        for server_name in ["hello", "resources", "prompts"] {
            let mut server = Server::connect(server_name, revision);
            for (method, owner) in methods {
                let answer = server.ask(method, Value::Null);
                let is_found = answer.error_code() != Some(-32601);
                assert_eq!(is_found, owner == server_name, "{method} of {server_name} in {revision}: {}", answer.text);
            }
        }
        // Modern clients subscribe in another way.
        for (server_name, has_resources) in [("hello", false), ("resources", true)] {
            let mut server = Server::connect(server_name, revision);
            for method in ["resources/subscribe", "resources/unsubscribe"] {
                let answer = server.ask(method, Value::Null);
                let code = if has_resources && !revision.is_modern() { -32602 } else { -32601 };
                refused(&answer, code, method);
            }
        }
    }
}

#[test]
fn lists_are_sorted_and_stable() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        for (method, member) in LISTS {
            let entries = list(&mut server, method, member);
            let key = match member {
                "resources" => "uri",
                "resourceTemplates" => "uriTemplate",
                _ => "name",
            };
            let keys: Vec<&str> = entries.iter().map(|entry| entry[key].as_str().expect("a key")).collect();
            assert!(keys.len() > 5 && keys.is_sorted(), "{keys:?}");
            read(&mut server, "config://app");
            assert_eq!(list(&mut server, method, member), entries);
        }
    }
}

#[test]
fn long_lists_have_pages() {
    for revision in Revision::ALL {
        let mut whole = Server::connect("fixture", revision);
        let mut paged = Server::setup("fixture").env("FIXTURE_PAGE_SIZE", "3").start();
        paged.open(revision);
        for (method, member) in LISTS {
            let mut entries = Vec::new();
            let mut params = Value::Null;
            let mut scopes = Vec::new();
            loop {
                let page = paged.ask(method, params);
                let result = page.result();
                let some = result[member].as_array().expect("a list");
                entries.extend_from_slice(some);
                scopes.push(result["cacheScope"].clone());
                let Some(cursor) = result.get("nextCursor") else { break };
                assert_eq!(some.len(), 3);
                // Any instance can go on, and only with the list that the cursor is of.
                let elsewhere = whole.ask(method, json!({"cursor": cursor}));
                assert!(elsewhere.result()[member].is_array());
                for (other, _) in LISTS.iter().filter(|(other, _)| *other != method) {
                    refused(&whole.ask(other, json!({"cursor": cursor})), -32602, "cursor");
                }
                params = json!({"cursor": cursor});
            }
            assert_eq!(entries, list(&mut whole, method, member), "{method} in {revision}");
            scopes.dedup();
            assert_eq!(scopes.len(), 1, "one scope for all pages");
            for cursor in [json!(""), json!("no such cursor"), json!(1), json!({})] {
                refused(&paged.ask(method, json!({"cursor": cursor})), -32602, "cursor");
            }
        }
    }
}

/// Cacheable results have a ttl, and others have none.
#[test]
fn cacheable_results_have_a_ttl_and_a_scope() {
    let mut server = Server::start("fixture");
    let kept = [
        ("server/discover", Value::Null),
        ("tools/list", Value::Null),
        ("resources/list", Value::Null),
        ("resources/templates/list", Value::Null),
        ("prompts/list", Value::Null),
        ("resources/read", json!({"uri": "config://app"})),
        ("resources/read", json!({"uri": "reports://2026"})),
    ];
    for (method, params) in kept {
        let answer = server.ask(method, params);
        assert_eq!(answer.result()["ttlMs"], 0, "{}", answer.text);
        assert_eq!(answer.result()["cacheScope"], "private", "{}", answer.text);
        assert_eq!(answer.result()["resultType"], "complete");
        assert_eq!(answer.result()["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fixture");
    }
    let passing = [
        ("tools/call", json!({"name": "echo", "arguments": {"text": "x"}})),
        ("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}})),
        ("completion/complete", of_prompt("travel", "country", "")),
    ];
    for (method, params) in passing {
        let answer = server.ask(method, params);
        assert!(answer.result().get("ttlMs").is_none(), "{}", answer.text);
        assert!(answer.result().get("cacheScope").is_none(), "{}", answer.text);
        assert_eq!(answer.result()["resultType"], "complete");
        assert_eq!(answer.result()["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fixture");
    }
}

#[test]
fn a_plain_component_is_published_without_optional_members() {
    let mut server = Server::start("fixture");
    assert_eq!(
        entry(&mut server, "resources/list", "uri", "config://app"),
        json!({
            "uri": "config://app",
            "name": "config",
            "description": "The settings of this server.",
            "mimeType": "text/plain",
        })
    );
    assert_eq!(
        entry(&mut server, "resources/templates/list", "uriTemplate", "files://{+path}"),
        json!({
            "uriTemplate": "files://{+path}",
            "name": "file",
            "description": "A file below a directory: slashes are accepted, path traversal is not.",
            "mimeType": "text/plain",
        })
    );
    assert_eq!(
        entry(&mut server, "prompts/list", "name", "greet"),
        json!({
            "name": "greet",
            "description": "Greets someone.",
            "arguments": [{"name": "name", "description": "The name of the person to greet.", "required": true}],
        })
    );
    let illustrated = entry(&mut server, "prompts/list", "name", "illustrated");
    assert_eq!(illustrated, json!({"name": "illustrated", "description": "Returns each kind of message."}));
}

/// The members that each revision has for each kind of component.
#[test]
fn decorated_components_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let mut resource = json!({
            "uri": "decorated://resource",
            "name": "decorated_resource",
            "description": "Has every option of a resource.",
            "mimeType": "text/markdown",
            "size": 10,
            "annotations": {"audience": ["user", "assistant"], "priority": 0.8},
        });
        let mut template = json!({
            "uriTemplate": "decorated://template/{id}",
            "name": "decorated_template",
            "description": "Instead of the doc comment.",
            "mimeType": "text/plain",
            "annotations": {"audience": ["user"]},
        });
        let mut prompt = json!({
            "name": "decorated_prompt",
            "description": "Has every option of a prompt.",
            "arguments": [{
                "name": "times",
                "description": "The number of repetitions.\n\nWrite an integer from 0 to 255. The default is 1.",
            }],
        });
        let mut contents = json!({"uri": "decorated://resource", "mimeType": "text/markdown", "text": "# Markdown"});
        if revision >= V2025_06_18 {
            resource["title"] = "Everything at once".into();
            resource["annotations"]["lastModified"] = "2026-01-01T00:00:00Z".into();
            resource["_meta"] = json!({"com.example/team": "billing", "fastmcp": {"tags": ["one", "two"]}});
            template["title"] = "Everything in a family".into();
            template["annotations"]["lastModified"] = "2026-01-01T00:00:00Z".into();
            template["_meta"] = json!({"com.example/team": "billing", "fastmcp": {"tags": ["one"]}});
            prompt["title"] = "Everything at once".into();
            prompt["arguments"][0]["title"] = "Times".into();
            prompt["_meta"] = json!({"com.example/team": "billing", "fastmcp": {"tags": ["one", "two"]}});
            contents["_meta"] = json!({"com.example/line": 1});
        }
        if revision >= V2025_11_25 {
            resource["icons"] = json!([{
                "src": "https://example.com/icon.png",
                "mimeType": "image/png",
                "sizes": ["48x48"],
                "theme": "dark",
            }]);
            template["icons"] = json!([{"src": "https://example.com/icon.png"}]);
            prompt["icons"] = json!([{"src": "https://example.com/icon.png"}]);
        }
        assert_eq!(entry(&mut server, "resources/list", "uri", "decorated://resource"), resource, "{revision}");
        let uri = "decorated://template/{id}";
        assert_eq!(entry(&mut server, "resources/templates/list", "uriTemplate", uri), template, "{revision}");
        assert_eq!(entry(&mut server, "prompts/list", "name", "decorated_prompt"), prompt, "{revision}");
        assert_eq!(item(&mut server, "decorated://resource"), contents, "{revision}");
        let answer = get(&mut server, "decorated_prompt", Value::Null);
        assert_eq!(answer.result()["description"], prompt["description"]);
        let message = json!({"role": "assistant", "content": {"type": "text", "text": "decorated"}});
        assert_eq!(answer.result()["messages"], json!([message]));
    }
}

#[test]
fn resources_are_text_bytes_json_or_several_of_them() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let text = json!({"uri": "config://app", "mimeType": "text/plain", "text": "verbose = true"});
        assert_eq!(item(&mut server, "config://app"), text);
        let image = json!({"uri": "logo://png", "mimeType": "image/png", "blob": "iVBORw=="});
        assert_eq!(item(&mut server, "logo://png"), image);
        let bytes = json!({"uri": "raw://bytes", "mimeType": "application/octet-stream", "blob": "AP8="});
        assert_eq!(item(&mut server, "raw://bytes"), bytes);
        let limits = item(&mut server, "config://limits");
        assert_eq!(limits["mimeType"], "application/json");
        let value: Value = serde_json::from_str(limits["text"].as_str().expect("a text")).expect("JSON");
        assert_eq!(value, json!({"calls": 10, "burst": null}));
        let several = json!([
            {"uri": "reports://2026", "mimeType": "text/plain", "text": "The report of 2026"},
            {"uri": "reports://2026/summary", "mimeType": "text/markdown", "text": "# Summary"},
            {"uri": "reports://2026/print", "mimeType": "application/pdf", "blob": "JVBERg=="},
        ]);
        assert_eq!(read(&mut server, "reports://2026").result()["contents"], several);
    }
}

/// The error has the code of the era of the client, and the result is never an empty list.
#[test]
fn a_missing_resource_has_the_error_code_of_the_revision() {
    let missing = [
        "config://nothing",
        "notes://11",
        "maybe://gone",
        "empty://list",
        "no-such-scheme://x",
        "no uri at all",
        "",
        "CONFIG://APP",
        "config://app/",
        "config://app?x=1",
        "files://",
        "files://../secret",
    ];
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        for uri in missing {
            let answer = read(&mut server, uri);
            let code = if revision.is_modern() { -32602 } else { -32002 };
            refused(&answer, code, "not found");
            assert_eq!(answer.value["error"]["data"], json!({"uri": uri}), "{revision}");
        }
        for params in [json!({}), json!({"uri": 1}), json!({"uri": null}), json!({"uri": ["config://app"]})] {
            refused(&server.ask("resources/read", params), -32602, "`uri`");
        }
        assert_eq!(text_of(&mut server, "notes://9"), "note 9");
        assert_eq!(text_of(&mut server, "maybe://there"), r#"{"calls":1,"burst":null}"#);
    }
}

#[test]
fn a_long_uri_is_not_echoed_in_full() {
    let mut server = Server::start("fixture");
    for length in [1 << 10, 100 << 10] {
        let answer = read(&mut server, &format!("nothing://{}", "x".repeat(length)));
        refused(&answer, -32602, "not found");
        assert!(answer.text.len() < 1000, "{}", answer.text.len());
    }
}

#[test]
fn errors_of_resources_are_shown_or_masked() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        refused(&read(&mut server, "trouble://visible"), -32603, "the archive is closed");
        refused(&read(&mut server, "trouble://slow"), -32603, "100ms");
        for uri in ["trouble://masked", "trouble://panic"] {
            let answer = read(&mut server, uri);
            refused(&answer, -32603, "Internal error ");
            assert!(!answer.text.contains("canary") && !answer.text.contains("nonexistent"), "{}", answer.text);
            let message = answer.value["error"]["message"].as_str().expect("a message");
            let (_, id) = message.split_once("Internal error ").expect("an id");
            let (id, _) = id.split_once('.').expect("an id");
            server.wait_for_stderr(id);
        }
        assert_eq!(text_of(&mut server, "config://app"), "verbose = true");
    }
}

#[test]
fn unmasked_errors_of_resources_and_prompts_are_shown() {
    let mut server = Server::setup("fixture").env("FIXTURE_SHOW_ERRORS", "1").start();
    refused(&read(&mut server, "trouble://masked"), -32603, "No such file");
    refused(&get(&mut server, "masked_prompt_trouble", json!({})), -32603, "secret-canary at 10.0.0.7");
    refused(&server.ask("completion/complete", of_prompt("travel", "broken", "")), -32603, "secret-canary");
}

#[test]
fn a_result_may_borrow_from_the_uri() {
    let mut server = Server::start("fixture");
    assert_eq!(text_of(&mut server, "echo://%20a/b%20"), "a/b");
}

#[test]
fn resources_and_prompts_send_progress_and_logs() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let mut meta = json!({"progressToken": "p"});
        if revision.is_modern() {
            meta["io.modelcontextprotocol/logLevel"] = "info".into();
        } else {
            server.ask("logging/setLevel", json!({"level": "info"}));
        }
        let answer = server.ask_with_meta("resources/read", json!({"uri": "watched://3"}), meta);
        assert_eq!(answer.result()["contents"][0]["text"], "3 steps");
        let early = server.take_early();
        let of = |method: &str| early.iter().filter(|frame| frame.value["method"] == method).collect::<Vec<_>>();
        assert_eq!(of("notifications/message").len(), 3);
        let progress = of("notifications/progress");
        assert_eq!(progress.last().expect("the last is never lost").value["params"]["progress"], 3.0);
        let meta = json!({"progressToken": 7});
        let answer = server.ask_with_meta("prompts/get", json!({"name": "watched_prompt"}), meta);
        assert_eq!(answer.result()["messages"][0]["content"]["text"], "done");
        let early = server.take_early();
        assert_eq!(early.len(), 1, "{early:?}");
        assert_eq!(early[0].value["params"]["progressToken"], 7);
    }
}

#[test]
fn a_batch_may_contain_every_method() {
    let mut server = Server::connect("fixture", V2025_03_26);
    let requests = [
        ("resources/read", json!({"uri": "config://app"})),
        ("resources/read", json!({"uri": "trouble://slow"})),
        ("resources/read", json!({"uri": "config://nothing"})),
        ("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}})),
        ("completion/complete", of_prompt("travel", "slow", "P")),
        ("resources/templates/list", json!({})),
    ];
    let lines: Vec<Value> = requests
        .iter()
        .enumerate()
        .map(|(id, (method, params))| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
        .collect();
    server.send(&Value::from(lines).to_string());
    let batch = server.receive();
    let answers = batch.value.as_array().expect("a batch");
    assert_eq!(answers.len(), requests.len(), "{}", batch.text);
    let answer = |id: usize| answers.iter().find(|answer| answer["id"] == id).expect("an answer");
    assert_eq!(answer(0)["result"]["contents"][0]["text"], "verbose = true");
    assert_eq!(answer(1)["error"]["code"], -32603);
    assert_eq!(answer(2)["error"]["code"], -32002);
    assert_eq!(answer(3)["result"]["messages"][0]["content"]["text"], "Greet Ada.");
    assert_eq!(answer(4)["result"]["completion"]["values"], json!(["Paris"]));
    assert!(answer(5)["result"]["resourceTemplates"].is_array());
}

#[test]
fn variables_of_a_template_have_types() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        assert_eq!(text_of(&mut server, "shipping://Express"), "a day");
        refused(&read(&mut server, "shipping://Slow"), -32602, "Express");
        refused(&read(&mut server, "reports://soon"), -32602, "`/year`: expected an integer");
        refused(&read(&mut server, "reports://1999"), -32602, "from 2000");
        refused(&read(&mut server, "reports://70000"), -32602, "`/year`");
        refused(&read(&mut server, "notes://-1"), -32602, "`/number`");
        // Beyond what a double holds.
        assert_eq!(text_of(&mut server, "notes://9007199254740993"), "note 9007199254740993");
        assert_eq!(text_of(&mut server, "notes://18446744073709551615"), "note 18446744073709551615");
        // A text that looks like a number stays a text.
        assert_eq!(text_of(&mut server, "decorated://template/007"), "007");
        assert_eq!(text_of(&mut server, "decorated://template/null"), "null");
        assert_eq!(text_of(&mut server, "decorated://template/%22x%22"), "\"x\"");
    }
}

#[test]
fn query_parameters_are_optional() {
    let mut server = Server::start("fixture");
    for (uri, expected) in [
        ("tables://orders/rows", "orders 10 None"),
        ("tables://orders/rows?limit=5", "orders 5 None"),
        ("tables://orders/rows?offset=7", "orders 10 Some(7)"),
        ("tables://orders/rows?offset=7&limit=5", "orders 5 Some(7)"),
        ("tables://order%20items/rows?", "order items 10 None"),
        ("folder://root", "None"),
        ("folder://root/a%20b", "Some(\"a b\")"),
    ] {
        assert_eq!(text_of(&mut server, uri), expected, "{uri}");
    }
    refused(&read(&mut server, "tables://orders/rows?limit=101"), -32602, "`/limit`");
    refused(&read(&mut server, "tables://orders/rows?limit=many"), -32602, "`/limit`");
    for uri in [
        "tables://orders/rows?limit=1&limit=2",
        "tables://orders/rows?page=2",
        "tables://orders/items/rows",
        "tables:///rows",
        "tables://orders/rows#x",
        "folder://root/a/b",
        "folder://root/",
    ] {
        refused(&read(&mut server, uri), -32602, "not found");
    }
}

#[test]
fn the_most_specific_template_serves_a_uri() {
    let mut server = Server::start("fixture");
    assert_eq!(text_of(&mut server, "sheets://a/b"), "sheet a/b");
    assert_eq!(text_of(&mut server, "sheets://a/cells"), "cells of a");
    assert_eq!(text_of(&mut server, "sheets://a/cells/1"), "sheet a/cells/1");
    assert_eq!(text_of(&mut server, "sheets://index"), "the index");
}

#[test]
fn path_traversal_is_refused_unless_it_is_allowed() {
    let mut server = Server::start("fixture");
    assert_eq!(text_of(&mut server, "files://a/b/c.txt"), "a/b/c.txt");
    assert_eq!(text_of(&mut server, "files://a%20b"), "a b");
    assert_eq!(text_of(&mut server, "files://a/..b/c.."), "a/..b/c..");
    // A value that is encoded twice is decoded once.
    assert_eq!(text_of(&mut server, "files://%252e%252e/x"), "%2e%2e/x");
    let ways_out = [
        ("../secret", "../secret"),
        ("a/../../secret", "a/../../secret"),
        ("..", ".."),
        ("a/..", "a/.."),
        ("/etc/passwd", "/etc/passwd"),
        ("%2e%2e/secret", "../secret"),
        ("%2E%2E%2Fsecret", "../secret"),
        ("..%5Csecret", "..\\secret"),
        ("%2Fetc/passwd", "/etc/passwd"),
        ("%5C%5Chost%5Cshare", "\\\\host\\share"),
        ("C:%5CWindows", "C:\\Windows"),
        ("a%00.txt", "a\0.txt"),
    ];
    for (path, decoded) in ways_out {
        refused(&read(&mut server, &format!("files://{path}")), -32602, "not found");
        refused(&read(&mut server, &format!("decorated://template/{path}")), -32602, "not found");
        refused(&read(&mut server, &format!("folder://root/{path}")), -32602, "not found");
        assert_eq!(text_of(&mut server, &format!("anywhere://{path}")), decoded);
    }
    for broken in ["%", "%2", "%zz", "%ff", "a%c3"] {
        refused(&read(&mut server, &format!("anywhere://{broken}")), -32602, "not found");
    }
}

#[test]
fn prompts_take_typed_arguments() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        assert_eq!(message_of(&mut server, "greet", json!({"name": "Ada"})), "Greet Ada.");
        assert_eq!(message_of(&mut server, "greet", json!({"name": "7"})), "Greet 7.");
        let least = json!({"steps": "3", "speed": "Express", "labels": "[\"a\", \"b\"]"});
        assert_eq!(message_of(&mut server, "plan", least.clone()), r#"3 express ["a", "b"] en None"#);
        let all = json!({"steps": "9", "speed": "Standard", "labels": "[]", "language": "de", "note": "null"});
        assert_eq!(message_of(&mut server, "plan", all), r#"9 standard [] de Some("null")"#);
        let plan = get(&mut server, "plan", least);
        assert_eq!(plan.result()["description"], "Has arguments of every kind.");
    }
}

#[test]
fn prompt_arguments_of_other_types_are_read_as_json() {
    // Strictness is about what models send; here there is no other way.
    for strict in [false, true] {
        let mut server = Server::setup("fixture");
        if strict {
            server = server.env("FIXTURE_STRICT", "1");
        }
        let mut server = server.start();
        let item = r#"{"sku": "A-1", "quantity": 2}"#;
        let least = json!({"flag": "true", "real": "1.5", "item": item});
        assert_eq!(message_of(&mut server, "order", least), "true 1.5 2xA-1 None false");
        let all = json!({"flag": "false", "real": "-1", "item": item, "big": "9007199254740993", "speed": "Express"});
        assert_eq!(message_of(&mut server, "order", all), "false -1 2xA-1 Some(9007199254740993) true");
        let wrong = json!({"flag": "yes", "real": "1.5", "item": r#"{"sku": "", "quantity": 0}"#, "speed": "Slow"});
        let answer = get(&mut server, "order", wrong);
        for named in ["`/flag`", "`/item/sku`", "`/item/quantity`", "`/speed`"] {
            refused(&answer, -32602, named);
        }
        assert_eq!(message_of(&mut server, "repeat", json!({"text": "[1]"})), "[1]");
        assert_eq!(text_of(&mut server, "notes://9"), "note 9");
    }
}

#[test]
fn a_missing_or_wrong_argument_of_a_prompt_is_named() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        for arguments in [Value::Null, json!({})] {
            refused(&get(&mut server, "greet", arguments), -32602, "`/name`");
        }
        refused(&server.ask("prompts/get", json!({"name": "greet"})), -32602, "`/name`");
        refused(&get(&mut server, "greet", json!({"nmae": "Ada"})), -32602, "did you mean `name`");
        let wrong = json!({"steps": "10", "speed": "Slow", "labels": "a, b"});
        let answer = get(&mut server, "plan", wrong);
        for named in ["`/steps`", "1 to 9", "`/speed`", "Express", "`/labels`"] {
            refused(&answer, -32602, named);
        }
        for arguments in [json!({"name": 7}), json!({"name": null}), json!({"name": ["Ada"]}), json!({"name": {}})] {
            refused(&get(&mut server, "greet", arguments), -32602, "must be strings");
        }
        for arguments in [json!([]), json!("Ada"), json!(1)] {
            refused(&get(&mut server, "greet", arguments), -32602, "must be an object");
        }
        refused(&get(&mut server, "gret", json!({})), -32602, "did you mean \"greet\"");
        refused(&server.ask("prompts/get", json!({"arguments": {}})), -32602, "`name`");
        refused(&server.ask("prompts/get", json!({"name": 1})), -32602, "`name`");
    }
}

#[test]
fn the_description_of_a_json_argument_has_its_schema() {
    let mut server = Server::start("fixture");
    let plan = entry(&mut server, "prompts/list", "name", "plan");
    let arguments = plan["arguments"].as_array().expect("a list");
    let names: Vec<&Value> = arguments.iter().map(|argument| &argument["name"]).collect();
    assert_eq!(names, ["steps", "speed", "labels", "language", "note"]);
    let required: Vec<bool> = arguments.iter().map(|argument| argument["required"] == true).collect();
    assert_eq!(required, [true, true, true, false, false]);
    let steps = arguments[0]["description"].as_str().expect("a description");
    assert!(
        steps.starts_with("The number of steps.\n\nWrite an integer from ") && steps.ends_with(" to 9."),
        "{steps}"
    );
    let labels = arguments[2]["description"].as_str().expect("a description");
    assert!(labels.starts_with("As JSON that fits {") && labels.contains("array"), "{labels}");
    // These are texts.
    for text in [&arguments[1], &arguments[3], &arguments[4]] {
        assert!(!text["description"].as_str().unwrap_or_default().contains("JSON"), "{text}");
    }
}

#[test]
fn messages_have_the_content_of_their_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let answer = get(&mut server, "illustrated", json!({}));
        let messages = answer.result()["messages"].as_array().expect("a list");
        let roles: Vec<&Value> = messages.iter().map(|message| &message["role"]).collect();
        assert_eq!(roles, ["user", "user", "user", "user", "assistant"]);
        assert_eq!(messages[0]["content"], json!({"type": "text", "text": "Look at this:"}));
        let mut image = json!({
            "type": "image",
            "data": "AQID",
            "mimeType": "image/png",
            "annotations": {"priority": 1.0},
        });
        if revision >= V2025_06_18 {
            image["annotations"]["lastModified"] = "2026-01-01T00:00:00Z".into();
            image["_meta"] = json!({"com.example/dpi": 72});
        }
        assert_eq!(messages[1]["content"], image);
        let audio = json!({"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"});
        assert_eq!(messages[2]["content"] == audio, revision >= V2025_03_26, "{}", messages[2]);
        let resource = json!({"uri": "config://app", "mimeType": "text/plain", "text": "verbose = true"});
        assert_eq!(messages[3]["content"], json!({"type": "resource", "resource": resource}));
        let link = json!({"type": "resource_link", "uri": "config://app", "name": "config"});
        assert_eq!(messages[4]["content"] == link, revision >= V2025_06_18, "{}", messages[4]);
    }
}

#[test]
fn errors_of_prompts_are_shown_or_masked() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        refused(&get(&mut server, "visible_prompt_trouble", json!({})), -32603, "the archive is closed");
        let masked = get(&mut server, "masked_prompt_trouble", json!({}));
        refused(&masked, -32603, "Internal error ");
        assert!(!masked.text.contains("canary"), "{}", masked.text);
        server.wait_for_stderr("secret-canary at 10.0.0.7");
    }
}

#[test]
fn arguments_and_variables_are_completed() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let all = |values: Value| {
            let total = values.as_array().map(Vec::len);
            json!({"values": values, "total": total, "hasMore": false})
        };
        assert_eq!(completed(&mut server, of_prompt("travel", "country", "")), all(json!(["de", "fr"])));
        assert_eq!(completed(&mut server, of_prompt("travel", "country", "f")), all(json!(["fr"])));
        // The variants of an enum, for nothing.
        let speeds = completed(&mut server, of_prompt("travel", "speed", ""));
        assert_eq!(speeds, all(json!(["Standard", "Express"])));
        assert_eq!(completed(&mut server, of_prompt("travel", "speed", "ex")), all(json!(["Express"])));
        assert_eq!(completed(&mut server, of_template("shipping://{speed}", "speed", "S"))["values"][0], "Standard");
        assert_eq!(completed(&mut server, of_prompt("order", "speed", "")), all(json!(["Standard", "Express"])));
        // A template by its own text, or by a URI that fits it.
        let template = "tables://{table}/rows{?limit,offset}";
        assert_eq!(
            completed(&mut server, of_template(template, "table", "o")),
            all(json!(["orders", "order_items", "customers"]))
        );
        assert_eq!(
            completed(&mut server, of_template("tables://x/rows", "table", "cust"))["values"],
            json!(["customers"])
        );
        // An argument without a completion function has no candidates, and an unknown one is an error.
        assert_eq!(completed(&mut server, of_prompt("travel", "free", "x")), all(json!([])));
        assert_eq!(completed(&mut server, of_prompt("greet", "name", "")), all(json!([])));
        assert_eq!(completed(&mut server, of_template(template, "limit", "1")), all(json!([])));
    }
}

#[test]
fn a_completion_sees_earlier_arguments() {
    let with_country = |country: Value, typed: &str| {
        let mut params = of_prompt("travel", "town", typed);
        params["context"] = json!({"arguments": {"country": country}});
        params
    };
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        assert_eq!(completed(&mut server, with_country("fr".into(), ""))["values"], json!(["Paris", "Lyon"]));
        assert_eq!(completed(&mut server, with_country("de".into(), "br"))["values"][0], "Bremen");
        assert_eq!(completed(&mut server, of_prompt("travel", "town", ""))["total"], 5);
    }
}

#[test]
fn the_best_hundred_candidates_are_sent() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let first = completed(&mut server, of_prompt("travel", "number", ""));
        assert_eq!(first["values"].as_array().map(Vec::len), Some(100));
        assert_eq!((&first["total"], &first["hasMore"]), (&json!(250), &json!(true)));
        assert_eq!(first["values"][99], "099");
        // Beyond the first hundred, and begun with before contained.
        let ranked = completed(&mut server, of_prompt("travel", "number", "24"));
        let values: Vec<&str> = ranked["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(values[..10], ["240", "241", "242", "243", "244", "245", "246", "247", "248", "249"]);
        assert_eq!(values[10..12], ["024", "124"]);
    }
    // Fuzzy: two letters are the wrong way round.
    let mut server = Server::start("fixture");
    assert_eq!(completed(&mut server, of_prompt("travel", "town", "Pairs"))["values"][0], "Paris");
    assert_eq!(completed(&mut server, of_prompt("travel", "town", "xyz"))["values"], json!([]));
}

#[test]
fn an_invalid_or_failed_completion_is_an_error() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let prompt = json!({"type": "ref/prompt", "name": "travel"});
        let argument = json!({"name": "country", "value": ""});
        let wrong = [
            (of_prompt("travle", "country", ""), "travel"),
            (of_prompt("travel", "county", ""), "argument"),
            (of_template("nothing://{x}", "x", ""), "template"),
            (of_template("shipping://{speed}", "velocity", ""), "argument"),
            (json!({}), "ref"),
            (json!({"ref": prompt}), "`argument`"),
            (json!({"argument": argument}), "ref"),
            (json!({"ref": {"type": "ref/tool", "name": "echo"}, "argument": argument}), "ref/prompt"),
            (json!({"ref": {"type": "ref/prompt"}, "argument": argument}), "`ref`"),
            (json!({"ref": prompt, "argument": {"name": "country"}}), "`argument`"),
            (json!({"ref": prompt, "argument": {"name": "country", "value": 1}}), "`argument`"),
            (json!({"ref": "travel", "argument": argument}), "ref"),
        ];
        for (params, named) in wrong {
            refused(&server.ask("completion/complete", params), -32602, named);
        }
        let failed = server.ask("completion/complete", of_prompt("travel", "broken", ""));
        refused(&failed, -32603, "Internal error ");
        assert!(!failed.text.contains("canary"), "{}", failed.text);
    }
}

#[test]
fn a_blocking_completion_does_not_delay_others() {
    let mut server = Server::start("fixture");
    let slow = server.begin("completion/complete", of_prompt("travel", "slow", "B"));
    assert_eq!(text_of(&mut server, "config://app"), "verbose = true");
    assert!(server.take_early().is_empty(), "the reader continues");
    assert_eq!(server.answer_to(&slow).result()["completion"]["values"], json!(["Berlin", "Bonn", "Bremen"]));
}

#[test]
fn a_long_text_is_completed_quickly() {
    let mut server = Server::start("fixture");
    let start = std::time::Instant::now();
    let answer = completed(&mut server, of_prompt("travel", "number", &"1".repeat(60 << 10)));
    assert_eq!(answer["values"], json!([]));
    let too_long = server.ask("completion/complete", of_prompt("travel", "number", &"1".repeat(4 << 20)));
    refused(&too_long, -32602, "`argument` may have at most 65536 bytes");
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

/// A resource that waits is a request in flight like any call.
#[test]
fn a_waiting_resource_does_not_delay_others_and_can_be_cancelled() {
    for revision in Revision::ALL {
        let mut server = Server::connect("fixture", revision);
        let slow = server.begin("resources/read", json!({"uri": "trouble://slow"}));
        assert_eq!(text_of(&mut server, "config://app"), "verbose = true");
        refused(&server.answer_to(&slow), -32603, "100ms");
        let cancelled: Value =
            server.begin("resources/read", json!({"uri": "trouble://slow"})).parse().expect("a number");
        let params = json!({"requestId": cancelled});
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string());
        refused(&read(&mut server, "trouble://slow"), -32603, "100ms");
        assert!(server.take_early().is_empty(), "a cancelled call has no answer");
    }
}
