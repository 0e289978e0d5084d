//! The port of the reference server "everything": each of its capabilities.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Folder, Frame, Revision, Server};

fn start(folder: &Folder, revision: Revision, capabilities: Value) -> Server {
    fs::create_dir(folder.path().join("docs")).expect("a folder");
    fs::write(folder.path().join("docs/features.md"), "# Features").expect("a file");
    let mut server = Server::setup("reference_everything").current_dir(folder.path()).start();
    server.open_with(revision, capabilities);
    server
}

fn all_capabilities() -> Value {
    json!({"sampling": {}, "elicitation": {"form": {}, "url": {}}, "roots": {}})
}

fn names(answer: &Frame, list: &str, member: &str) -> Vec<String> {
    let entries = answer.result()[list].as_array().expect("a list");
    entries.iter().map(|entry| entry[member].as_str().expect("a name").to_owned()).collect()
}

fn blocks(answer: &Frame) -> &Vec<Value> {
    answer.result()["content"].as_array().expect("a list")
}

#[test]
fn its_components_have_the_names_of_the_reference() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = start(&folder, revision, all_capabilities());
        let tools = server.ask("tools/list", Value::Null);
        let expected = [
            "echo",
            "get-annotated-message",
            "get-env",
            "get-resource-links",
            "get-resource-reference",
            "get-roots-list",
            "get-structured-content",
            "get-sum",
            "get-tiny-image",
            "toggle-simulated-logging",
            "toggle-subscriber-updates",
            "trigger-elicitation-request",
            "trigger-long-running-operation",
            "trigger-sampling-request",
            "trigger-url-elicitation",
        ];
        assert_eq!(names(&tools, "tools", "name"), expected);
        let properties = &tools.result()["tools"][1]["inputSchema"]["properties"];
        assert_eq!(properties["includeImage"]["default"], false);
        assert_eq!(properties["messageType"]["enum"], json!(["error", "success", "debug"]));
        let prompts = server.ask("prompts/list", Value::Null);
        let expected = ["args-prompt", "completable-prompt", "resource-prompt", "simple-prompt"];
        assert_eq!(names(&prompts, "prompts", "name"), expected);
        let resources = server.ask("resources/list", Value::Null);
        assert_eq!(names(&resources, "resources", "uri"), ["demo://resource/static/document/features.md"]);
        assert_eq!(resources.result()["resources"][0]["mimeType"], "text/markdown");
        let templates = server.ask("resources/templates/list", Value::Null);
        let expected = ["demo://resource/dynamic/blob/{resourceId}", "demo://resource/dynamic/text/{resourceId}"];
        assert_eq!(names(&templates, "resourceTemplates", "uriTemplate"), expected);
    }
}

#[test]
fn tools_that_need_a_capability_are_hidden_from_clients_without_it() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = start(&folder, revision, json!({"roots": {}}));
        let tools = names(&server.ask("tools/list", Value::Null), "tools", "name");
        assert_eq!(tools.len(), 12, "{tools:?}");
        assert!(tools.iter().any(|name| name == "get-roots-list"));
        assert_eq!(server.call("trigger-sampling-request", json!({"prompt": "Hi"})).error_code(), Some(-32602));
    }
}

#[test]
fn its_tools_return_every_kind_of_content() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = start(&folder, revision, json!({}));
        assert_eq!(server.call("echo", json!({"message": "Hi"})).content_text(), "Echo: Hi");
        assert_eq!(server.call("get-sum", json!({"a": 1.5, "b": 2})).content_text(), "The sum of 1.5 and 2 is 3.5.");
        let variables = server.call("get-env", json!({}));
        let variables: Value = serde_json::from_str(variables.content_text()).expect("JSON");
        assert!(variables["PATH"].is_string(), "{variables}");
        let image = server.call("get-tiny-image", json!({}));
        assert_eq!(blocks(&image)[1]["mimeType"], "image/png");

        let weather = json!({"temperature": 36, "conditions": "Light rain / drizzle", "humidity": 82});
        let structured = server.call("get-structured-content", json!({"location": "Chicago"}));
        assert_eq!(serde_json::from_str::<Value>(structured.content_text()).ok(), Some(weather.clone()));
        if let Some(value) = structured.result().get("structuredContent") {
            assert_eq!(value, &weather);
        }
        let annotated = server.call("get-annotated-message", json!({"messageType": "error", "includeImage": true}));
        assert_eq!(blocks(&annotated)[0]["annotations"], json!({"audience": ["user", "assistant"], "priority": 1.0}));
        assert_eq!(blocks(&annotated)[1]["annotations"], json!({"audience": ["user"], "priority": 0.5}));

        let links = server.call("get-resource-links", json!({"count": 2}));
        let links: Vec<&str> = blocks(&links).iter().filter_map(|block| block["uri"].as_str()).collect();
        if revision >= Revision::V2025_06_18 {
            assert_eq!(links, ["demo://resource/dynamic/blob/1", "demo://resource/dynamic/text/2"]);
        }
        let reference = server.call("get-resource-reference", json!({"resourceType": "Blob", "resourceId": 7}));
        let resource = &blocks(&reference)[1]["resource"];
        assert_eq!(resource["uri"], "demo://resource/dynamic/blob/7");
        assert_eq!(resource["mimeType"], "application/octet-stream");
        assert!(resource["blob"].as_str().is_some_and(|blob| blob.starts_with("UmVzb3VyY2UgNz")), "{resource}");
    }
}

#[test]
fn its_resources_and_prompts_are_read_and_completed() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = start(&folder, revision, json!({}));
        let mut read = |uri: &str| server.ask("resources/read", json!({"uri": uri}));
        let document = read("demo://resource/static/document/features.md");
        assert_eq!(document.result()["contents"][0]["text"], "# Features");
        let text = read("demo://resource/dynamic/text/7");
        let text = text.result()["contents"][0]["text"].as_str().expect("a text");
        assert!(text.starts_with("Resource 7: This is a plaintext resource created"), "{text}");
        assert!(read("demo://resource/dynamic/blob/0").error_code().is_some());

        let mut messages = |name: &str, arguments: Value| {
            let prompt = server.ask("prompts/get", json!({"name": name, "arguments": arguments}));
            prompt.result()["messages"].clone()
        };
        let simple = messages("simple-prompt", json!({}));
        assert_eq!(simple[0]["content"]["text"], "This is a simple prompt without arguments.");
        let place = messages("args-prompt", json!({"city": "Bern", "state": "BE"}));
        assert_eq!(place[0]["content"]["text"], "What's weather in Bern, BE?");
        let team = messages("completable-prompt", json!({"department": "Sales", "name": "Eve"}));
        assert_eq!(team[0]["content"]["text"], "Please promote Eve to the head of the Sales team.");
        let resource = messages("resource-prompt", json!({"resourceType": "Text", "resourceId": "3"}));
        assert_eq!(resource[1]["content"]["resource"]["uri"], "demo://resource/dynamic/text/3");
        assert_eq!(resource[1]["content"]["resource"]["mimeType"], "text/plain");

        let mut complete = |reference: Value, argument: &str, value: &str| {
            let params = json!({
                "ref": reference,
                "argument": {"name": argument, "value": value},
                "context": {"arguments": {"department": "Sales"}},
            });
            server.ask("completion/complete", params).result()["completion"]["values"].clone()
        };
        let prompt = |name: &str| json!({"type": "ref/prompt", "name": name});
        assert_eq!(complete(prompt("completable-prompt"), "department", "S"), json!(["Sales", "Support"]));
        if revision >= Revision::V2025_06_18 {
            assert_eq!(complete(prompt("completable-prompt"), "name", "E"), json!(["Eve"]));
        }
        assert_eq!(complete(prompt("resource-prompt"), "resourceType", "B"), json!(["Blob"]));
        let template = json!({"type": "ref/resource", "uri": "demo://resource/dynamic/text/{resourceId}"});
        assert_eq!(complete(template.clone(), "resourceId", "12"), json!(["12"]));
        assert_eq!(complete(template, "resourceId", "x"), json!([]));
    }
}

#[test]
fn a_long_operation_reports_each_step() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = start(&folder, revision, json!({}));
        let params = json!({"name": "trigger-long-running-operation", "arguments": {"duration": 0.3, "steps": 3}});
        let ended = server.ask_with_meta("tools/call", params, json!({"progressToken": 7}));
        assert_eq!(ended.content_text(), "Long running operation completed. Duration: 0.3 seconds, Steps: 3.");
        let reports: Vec<Value> =
            server.take_early().into_iter().map(|frame| frame.value["params"]["progress"].clone()).collect();
        assert_eq!(reports, [1.0, 2.0, 3.0]);
    }
}

#[test]
fn requests_to_the_client_are_its_results() {
    let folder = Folder::new();
    let mut server = start(&folder, Revision::V2025_11_25, all_capabilities());
    let call = server.begin_call("trigger-sampling-request", json!({"prompt": "Hi", "maxTokens": 20}));
    let reply = json!({"role": "assistant", "content": {"type": "text", "text": "Hello."}, "model": "m"});
    let asked = server.answer("sampling/createMessage", reply);
    assert_eq!((&asked["maxTokens"], &asked["temperature"]), (&json!(20), &json!(0.7)));
    assert_eq!(asked["systemPrompt"], "You are a helpful test server.");
    assert_eq!(server.answer_to(&call).content_text(), "LLM sampling result of m:\nHello.");

    let call = server.begin_call("get-roots-list", json!({}));
    server.answer("roots/list", json!({"roots": [{"uri": "file:///srv", "name": "srv"}]}));
    assert_eq!(server.answer_to(&call).content_text(), "Current MCP Roots (1 total):\n- srv: file:///srv");

    let call = server.begin_call("trigger-elicitation-request", json!({}));
    let content = json!({"name": "Ada", "hero": "superman", "fish": ["trout"], "pet": "pet-1"});
    let asked = server.answer("elicitation/create", json!({"action": "accept", "content": content}));
    let form = &asked["requestedSchema"];
    assert_eq!(form["required"], json!(["name"]));
    assert_eq!(form["properties"]["hero"]["oneOf"][1], json!({"const": "green lantern", "title": "Green Lantern"}));
    assert_eq!(form["properties"]["pet"]["enumNames"], json!(["Cats", "Dogs"]));
    let told = server.answer_to(&call);
    let told = told.content_text().strip_prefix("✅ User provided: ").expect("the answer was accepted");
    assert_eq!(serde_json::from_str::<Value>(told).ok(), Some(content));

    for (action, text) in
        [("accept", "✅ User agreed"), ("decline", "❌ User declined"), ("cancel", "⚠️ User cancelled")]
    {
        let call = server.begin_call("trigger-url-elicitation", json!({"url": "https://example.com/pay"}));
        let asked = server.answer("elicitation/create", json!({"action": action}));
        assert_eq!((&asked["mode"], &asked["url"]), (&json!("url"), &json!("https://example.com/pay")));
        let told = server.answer_to(&call);
        assert!(told.content_text().starts_with(text), "{}", told.text);
    }
}

#[test]
fn a_modern_client_gets_the_requests_as_a_result() {
    let folder = Folder::new();
    let mut server = start(&folder, Revision::NEWEST, all_capabilities());
    let mut params = json!({"name": "get-roots-list", "arguments": {}});
    let asked = server.ask("tools/call", params.clone());
    assert_eq!(asked.result()["resultType"], "input_required", "{}", asked.text);
    let requests = asked.result()["inputRequests"].as_object().expect("requests");
    let (key, request) = requests.iter().next().expect("a request");
    assert_eq!(request["method"], "roots/list");
    params["inputResponses"] = json!({key: {"roots": [{"uri": "file:///srv"}]}});
    params["requestState"] = asked.result()["requestState"].clone();
    let listed = server.ask("tools/call", params);
    assert_eq!(listed.content_text(), "Current MCP Roots (1 total):\n- Unnamed: file:///srv");
}

#[test]
fn simulated_logging_starts_and_stops() {
    let folder = Folder::new();
    let mut server = start(&folder, Revision::V2025_11_25, json!({}));
    server.ask("logging/setLevel", json!({"level": "debug"}));
    let call = server.begin_call("toggle-simulated-logging", json!({}));
    let started = server.answer_to(&call);
    assert_eq!(started.content_text(), "Started simulated logging at a 5 second pace");
    let message = server.take_early().pop().unwrap_or_else(|| server.receive());
    let level = message.value["params"]["level"].as_str().expect("a level");
    assert_eq!(message.value["params"]["data"], format!("{level}-level message"));
    let stopped = server.call("toggle-simulated-logging", json!({}));
    assert_eq!(stopped.content_text(), "Stopped simulated logging");
}

#[test]
fn simulated_updates_reach_the_subscribers() {
    const URI: &str = "demo://resource/dynamic/text/2";
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = start(&folder, revision, json!({}));
        if revision.is_modern() {
            let filter = json!({"notifications": {"resourceSubscriptions": [URI]}});
            server.send(&revision.request("updates", "subscriptions/listen", filter));
            assert_eq!(server.receive().value["method"], "notifications/subscriptions/acknowledged");
        } else {
            server.ask("resources/subscribe", json!({"uri": URI}));
        }
        let call = server.begin_call("toggle-subscriber-updates", json!({}));
        assert!(server.answer_to(&call).content_text().starts_with("Started simulated updates"));
        let update = server.take_early().pop().unwrap_or_else(|| server.receive());
        assert_eq!(update.value["method"], "notifications/resources/updated");
        assert_eq!(update.value["params"]["uri"], URI);
        assert!(server.call("toggle-subscriber-updates", json!({})).content_text().starts_with("Stopped"));
    }
}
