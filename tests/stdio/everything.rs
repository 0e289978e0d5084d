//! The server for the public conformance suite, with the exact texts that the suite does not compare.

use serde_json::{Value, json};

use crate::support::{Frame, Revision, Server};

const TOOLS: [&str; 28] = [
    "json_schema_2020_12_tool",
    "test_audio_content",
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_embedded_resource",
    "test_error_handling",
    "test_header_parameter",
    "test_image_content",
    "test_input_required_result_capabilities",
    "test_input_required_result_elicitation",
    "test_input_required_result_list_roots",
    "test_input_required_result_multi_round",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_request_state",
    "test_input_required_result_sampling",
    "test_input_required_result_tampered_state",
    "test_logging_tool",
    "test_missing_capability",
    "test_multiple_content_types",
    "test_reconnection",
    "test_sampling",
    "test_simple_text",
    "test_streaming_elicitation",
    "test_tool_with_logging",
    "test_tool_with_progress",
    "test_trigger_prompt_change",
    "test_trigger_tool_change",
];

fn all_capabilities() -> Value {
    json!({"sampling": {}, "elicitation": {}, "roots": {}})
}

fn connect(revision: Revision) -> Server {
    let mut server = Server::start("everything");
    server.open_with(revision, all_capabilities());
    server
}

fn names(answer: &Frame, list: &str, member: &str) -> Vec<String> {
    let entries = answer.result()[list].as_array().expect("a list");
    entries.iter().map(|entry| entry[member].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn components_are_listed_in_a_stable_order() {
    for revision in Revision::ALL {
        let mut server = connect(revision);
        let tools = server.ask("tools/list", Value::Null);
        assert_eq!(names(&tools, "tools", "name"), TOOLS);
        let list = tools.result()["tools"].as_array().unwrap();
        assert!(list.iter().all(|tool| tool["description"].as_str().is_some_and(|text| !text.is_empty())));
        let prompts = server.ask("prompts/list", Value::Null);
        let expected = [
            "test_input_required_result_prompt",
            "test_prompt_with_arguments",
            "test_prompt_with_embedded_resource",
            "test_prompt_with_image",
            "test_simple_prompt",
        ];
        assert_eq!(names(&prompts, "prompts", "name"), expected);
        let resources = server.ask("resources/list", Value::Null);
        let expected = ["test://static-binary", "test://static-text", "test://watched-resource"];
        assert_eq!(names(&resources, "resources", "uri"), expected);
        let templates = server.ask("resources/templates/list", Value::Null);
        assert_eq!(names(&templates, "resourceTemplates", "uriTemplate"), ["test://template/{id}/data"]);
        let first = server.call(TOOLS[0], json!({}));
        assert!(first.value.get("error").is_none(), "the first tool can be called without arguments: {}", first.text);
    }
}

#[test]
fn a_custom_schema_is_published_unchanged() {
    for revision in Revision::ALL {
        let tools = connect(revision).ask("tools/list", Value::Null);
        let schema = tools.result()["tools"][0]["inputSchema"].to_string();
        let expected = concat!(
            r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"address":{"##,
            r##""$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},"##,
            r##""properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},"contactMethod":{"type":"string","##,
            r##""enum":["phone","email"]},"phone":{"type":"string"},"email":{"type":"string"}},"##,
            r##""allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],"##,
            r##""if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},"##,
            r##""then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false}"##,
        );
        assert_eq!(schema, expected);
    }
}

#[test]
fn plain_results_are_exact() {
    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
    for revision in Revision::ALL {
        let mut server = connect(revision);
        // The suite leaves `arguments` out.
        let text = server.ask("tools/call", json!({"name": "test_simple_text"}));
        assert_eq!(text.content_text(), "This is a simple text response for testing.");
        let image = json!({"type": "image", "data": PNG, "mimeType": "image/png"});
        assert_eq!(server.call("test_image_content", json!({})).result()["content"], json!([image]));
        let resource = json!({"type": "resource", "resource": {
            "uri": "test://embedded-resource",
            "mimeType": "text/plain",
            "text": "This is an embedded resource content.",
        }});
        assert_eq!(server.call("test_embedded_resource", json!({})).result()["content"], json!([resource]));
        let mixed = json!({"type": "resource", "resource": {
            "uri": "test://mixed-content-resource",
            "mimeType": "application/json",
            "text": r#"{"test":"data","value":123}"#,
        }});
        let text = json!({"type": "text", "text": "Multiple content types test:"});
        let content = server.call("test_multiple_content_types", json!({}));
        assert_eq!(content.result()["content"], json!([text, image, mixed]));
        let error = server.call("test_error_handling", json!({}));
        assert!(error.is_tool_error());
        assert_eq!(error.content_text(), "This tool intentionally returns an error for testing");
        if revision >= Revision::V2025_03_26 {
            let audio = server.call("test_audio_content", json!({}));
            assert_eq!(audio.result()["content"][0]["mimeType"], "audio/wav");
            assert!(audio.result()["content"][0]["data"].as_str().is_some_and(|data| data.starts_with("UklGR")));
        }
        assert_eq!(server.call("test_reconnection", json!({})).content_text(), "Reconnection test completed");
        assert_eq!(server.call("test_header_parameter", json!({"value": "x"})).content_text(), "Received x");
    }
}

#[test]
fn progress_and_logs_come_before_the_result() {
    for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
        let mut server = connect(revision);
        let params = json!({"name": "test_tool_with_progress", "arguments": {}});
        let answer = server.ask_with_meta("tools/call", params, json!({"progressToken": 7}));
        assert_eq!(answer.content_text(), "Tool with progress completed");
        let progress: Vec<Value> = server.take_early().into_iter().map(|frame| frame.value["params"].clone()).collect();
        let expected = [0.0, 50.0, 100.0].map(|done| json!({"progressToken": 7, "progress": done, "total": 100.0}));
        assert_eq!(progress, expected);

        let params = json!({"name": "test_tool_with_logging", "arguments": {}});
        let meta = match revision.is_modern() {
            true => json!({"io.modelcontextprotocol/logLevel": "debug"}),
            false => {
                server.ask("logging/setLevel", json!({"level": "debug"}));
                Value::Null
            }
        };
        assert_eq!(server.ask_with_meta("tools/call", params, meta).content_text(), "Tool with logging completed");
        let logs: Vec<Value> =
            server.take_early().into_iter().map(|frame| frame.value["params"]["data"].clone()).collect();
        assert_eq!(logs, ["Tool execution started", "Tool processing data", "Tool execution completed"]);
        if revision.is_modern() {
            server.call("test_logging_tool", json!({}));
            assert!(server.take_early().is_empty(), "a modern client that wants no logs gets none");
        }
    }
}

#[test]
fn binary_data_is_exact() {
    for revision in Revision::ALL {
        let mut server = connect(revision);
        let mut read = |uri: &str| server.ask("resources/read", json!({"uri": uri}));
        assert_eq!(
            read("test://static-text").result()["contents"],
            json!([{
                "uri": "test://static-text",
                "mimeType": "text/plain",
                "text": "This is the content of the static text resource.",
            }])
        );
        let binary = read("test://static-binary");
        assert_eq!(binary.result()["contents"][0]["mimeType"], "image/png");
        assert!(binary.result()["contents"][0]["blob"].as_str().is_some_and(|blob| blob.starts_with("iVBORw0")));
        let data = read("test://template/123/data");
        assert_eq!(
            data.result()["contents"],
            json!([{
                "uri": "test://template/123/data",
                "mimeType": "application/json",
                "text": r#"{"id":"123","templateTest":true,"data":"Data for ID: 123"}"#,
            }])
        );
        let missing = read("test://nonexistent-resource-for-conformance-testing");
        assert_eq!(missing.error_code(), Some(if revision.is_modern() { -32602 } else { -32002 }));
        assert_eq!(missing.value["error"]["data"]["uri"], "test://nonexistent-resource-for-conformance-testing");

        let mut get = |name: &str, arguments: Value| {
            let answer = server.ask("prompts/get", json!({"name": name, "arguments": arguments}));
            answer.result()["messages"].clone()
        };
        let user = |content: Value| json!({"role": "user", "content": content});
        let text = |text: &str| user(json!({"type": "text", "text": text}));
        let simple = get("test_simple_prompt", json!({}));
        assert_eq!(simple, json!([text("This is a simple prompt for testing.")]));
        let with_arguments = get("test_prompt_with_arguments", json!({"arg1": "testValue1", "arg2": "testValue2"}));
        assert_eq!(with_arguments, json!([text("Prompt with arguments: arg1='testValue1', arg2='testValue2'")]));
        let embedded = get("test_prompt_with_embedded_resource", json!({"resourceUri": "test://example-resource"}));
        let resource = json!({"type": "resource", "resource": {
            "uri": "test://example-resource",
            "mimeType": "text/plain",
            "text": "Embedded resource content for testing.",
        }});
        assert_eq!(embedded, json!([user(resource), text("Please process the embedded resource above.")]));
        let image = get("test_prompt_with_image", json!({}));
        assert_eq!(image[0]["content"]["mimeType"], "image/png");
        assert_eq!(image[1], text("Please analyze the image above."));

        let completion = server.ask(
            "completion/complete",
            json!({
                "ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
                "argument": {"name": "arg1", "value": "test"},
            }),
        );
        assert_eq!(completion.result()["completion"]["values"], json!(["testValue1", "testValue2"]));
    }
}

#[test]
fn a_session_gets_elicitations_as_requests() {
    let mut server = connect(Revision::V2025_11_25);
    let call = server.begin_call("test_sampling", json!({"prompt": "What is 2+2?"}));
    let reply = json!({"role": "assistant", "content": {"type": "text", "text": "Four."}, "model": "m"});
    let asked = server.answer("sampling/createMessage", reply);
    let message = json!({"role": "user", "content": {"type": "text", "text": "What is 2+2?"}});
    assert_eq!((&asked["messages"], &asked["maxTokens"]), (&json!([message]), &json!(100)));
    assert_eq!(server.answer_to(&call).content_text(), "LLM response: Four.");

    let call = server.begin_call("test_elicitation", json!({"message": "Who are you?"}));
    let content = json!({"username": "ada", "email": "ada@example.com"});
    let asked = server.answer("elicitation/create", json!({"action": "accept", "content": content}));
    assert_eq!(asked["message"], "Who are you?");
    assert_eq!(
        asked["requestedSchema"],
        json!({
            "type": "object",
            "properties": {
                "username": {"type": "string", "description": "User's response"},
                "email": {"type": "string", "description": "User's email address"},
            },
            "required": ["username", "email"],
        })
    );
    let expected = r#"User response: action=accept, content={"username":"ada","email":"ada@example.com"}"#;
    assert_eq!(server.answer_to(&call).content_text(), expected);

    for action in ["decline", "cancel"] {
        let call = server.begin_call("test_elicitation", json!({"message": "Who are you?"}));
        server.answer("elicitation/create", json!({"action": action}));
        assert_eq!(server.answer_to(&call).content_text(), format!("User response: action={action}, content={{}}"));
    }
}

#[test]
fn forms_have_the_schemas_that_the_suite_checks() {
    let mut server = connect(Revision::V2025_11_25);
    let call = server.begin_call("test_elicitation_sep1034_defaults", json!({}));
    // The suite answers without `name`.
    let content = json!({"age": 31, "score": 90.0, "status": "inactive", "verified": false});
    let asked = server.answer("elicitation/create", json!({"action": "accept", "content": content}));
    let properties = &asked["requestedSchema"]["properties"];
    for (field, kind, default) in [
        ("name", "string", json!("John Doe")),
        ("age", "integer", json!(30)),
        ("score", "number", json!(95.5)),
        ("status", "string", json!("active")),
        ("verified", "boolean", json!(true)),
    ] {
        assert_eq!((&properties[field]["type"], &properties[field]["default"]), (&json!(kind), &default), "{field}");
    }
    assert_eq!(properties["status"]["enum"], json!(["active", "inactive", "pending"]));
    let expected = r#"Elicitation completed: action=accept, content={"name":"John Doe","age":31,"score":90.0,"status":"inactive","verified":false}"#;
    assert_eq!(server.answer_to(&call).content_text(), expected);

    let call = server.begin_call("test_elicitation_sep1330_enums", json!({}));
    let asked = server.answer(
        "elicitation/create",
        json!({"action": "accept", "content": {
            "untitledSingle": "option1", "titledSingle": "value2", "legacyEnum": "opt3",
            "untitledMulti": ["option1", "option2"], "titledMulti": ["value3"],
        }}),
    );
    let titled = json!([
        {"const": "value1", "title": "First Option"},
        {"const": "value2", "title": "Second Option"},
        {"const": "value3", "title": "Third Option"},
    ]);
    let properties = &asked["requestedSchema"]["properties"];
    assert_eq!(
        *properties,
        json!({
            "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled}},
        })
    );
    assert!(server.answer_to(&call).content_text().starts_with("Elicitation completed: action=accept"));
}

/// A call of a modern client, in rounds.
struct Call {
    server: Server,
    method: &'static str,
    params: Value,
}

impl Call {
    fn tool(name: &str) -> Call {
        Call { server: connect(Revision::NEWEST), method: "tools/call", params: json!({"name": name, "arguments": {}}) }
    }

    fn round(&mut self, responses: Value, state: &Value) -> Frame {
        let mut params = self.params.clone();
        if !responses.is_null() {
            params["inputResponses"] = responses;
        }
        if !state.is_null() {
            params["requestState"] = state.clone();
        }
        self.server.ask(self.method, params)
    }

    /// The first round: its input requests, and its state.
    fn begin(&mut self) -> (Value, Value) {
        let frame = self.round(Value::Null, &Value::Null);
        questions(&frame)
    }
}

fn questions(frame: &Frame) -> (Value, Value) {
    let result = frame.result();
    assert_eq!(result["resultType"], "input_required", "{}", frame.text);
    assert!(result["requestState"].as_str().is_some_and(|state| !state.is_empty()), "{}", frame.text);
    (result["inputRequests"].clone(), result["requestState"].clone())
}

fn keys(questions: &Value) -> Vec<&str> {
    questions.as_object().expect("questions").keys().map(String::as_str).collect()
}

fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

#[test]
fn a_modern_client_gets_elicitations_in_rounds() {
    let mut call = Call::tool("test_input_required_result_elicitation");
    let (asked, state) = call.begin();
    assert_eq!(
        asked,
        json!({"user_name": {
            "method": "elicitation/create",
            "params": {
                "mode": "form",
                "message": "What is your name?",
                "requestedSchema": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}},
                    "required": ["name"],
                },
            },
        }})
    );
    let name = accept(json!({"name": "Alice"}));
    let done = call.round(json!({"user_name": name}), &state);
    assert_eq!((&done.result()["resultType"], done.content_text()), (&json!("complete"), "Hello, Alice!"));
    let done = call.round(json!({"user_name": name, "unknown": {"action": "accept"}}), &state);
    assert_eq!(done.content_text(), "Hello, Alice!", "unknown keys are ignored");
    let again = call.round(json!({"wrong_key": name}), &state);
    assert_eq!(questions(&again).0, asked, "an answer is missing, so it is asked again");
    let done = call.round(json!({"user_name": name}), &questions(&again).1);
    assert_eq!(done.content_text(), "Hello, Alice!");
    for bad in [json!({"user_name": 12345}), json!({"user_name": null}), json!([]), json!("x")] {
        let refused = call.round(bad, &state);
        assert_eq!(refused.error_code(), Some(-32602), "{}", refused.text);
    }
    for action in ["decline", "cancel"] {
        let done = call.round(json!({"user_name": {"action": action}}), &state);
        assert_eq!(done.content_text(), "Hello, stranger!");
    }
    let unfit = call.round(json!({"user_name": accept(json!({"name": 5}))}), &state);
    assert!(unfit.is_tool_error());
    assert!(unfit.content_text().contains("/name"), "{}", unfit.text);
}

#[test]
fn sampling_and_roots_are_requested_in_rounds() {
    let mut call = Call::tool("test_input_required_result_sampling");
    let (asked, state) = call.begin();
    let question = &asked["capital_question"];
    assert_eq!(question["method"], "sampling/createMessage");
    assert_eq!(question["params"]["messages"][0]["content"]["text"], "What is the capital of France?");
    assert_eq!(question["params"]["maxTokens"], 100);
    let reply = json!({"role": "assistant", "content": {"type": "text", "text": "Paris."}, "model": "m"});
    let done = call.round(json!({"capital_question": reply}), &state);
    assert_eq!(done.content_text(), "The model says: Paris.");

    let mut call = Call::tool("test_input_required_result_list_roots");
    let (asked, state) = call.begin();
    assert_eq!(asked["client_roots"]["method"], "roots/list");
    let roots = json!({"roots": [{"uri": "file:///srv/a", "name": "a"}, {"uri": "file:///srv/b"}]});
    let done = call.round(json!({"client_roots": roots}), &state);
    assert_eq!(done.content_text(), "Roots: file:///srv/a, file:///srv/b");
}

#[test]
fn several_requests_share_one_round() {
    let mut call = Call::tool("test_input_required_result_multiple_inputs");
    let (asked, state) = call.begin();
    let mut found = keys(&asked);
    found.sort_unstable();
    assert_eq!(found, ["client_roots", "greeting", "user_name"]);
    let name = accept(json!({"name": "Ada"}));
    let greeting = json!({"role": "assistant", "content": {"type": "text", "text": "Hi!"}, "model": "m"});
    // One result now, the others later: a request with a result is not sent again.
    let (asked, state) = questions(&call.round(json!({"user_name": name}), &state));
    let mut found = keys(&asked);
    found.sort_unstable();
    assert_eq!(found, ["client_roots", "greeting"]);
    let rest = json!({"greeting": greeting, "client_roots": {"roots": []}});
    let done = call.round(rest, &state);
    assert_eq!(done.content_text(), r#"action=accept, content={"name":"Ada"}; Hi!; 0 roots"#);
}

#[test]
fn one_round_follows_another() {
    let mut call = Call::tool("test_input_required_result_multi_round");
    let (asked, first) = call.begin();
    assert_eq!(keys(&asked), ["step1"]);
    let (asked, second) = questions(&call.round(json!({"step1": accept(json!({"name": "Ada"}))}), &first));
    assert_eq!(keys(&asked), ["step2"]);
    assert_eq!(asked["step2"]["params"]["message"], "Step 2: What is your favorite color?");
    assert_ne!(first, second);
    let done = call.round(json!({"step2": accept(json!({"color": "blue"}))}), &second);
    assert_eq!(
        done.content_text(),
        r#"action=accept, content={"name":"Ada"}; action=accept, content={"color":"blue"}"#
    );
}

#[test]
fn remembered_values_return_in_later_rounds() {
    let mut call = Call::tool("test_input_required_result_request_state");
    let (asked, state) = call.begin();
    assert_eq!(keys(&asked), ["confirm"]);
    let done = call.round(json!({"confirm": accept(json!({"ok": true}))}), &state);
    assert_eq!(done.content_text(), r#"state-ok: action=accept, content={"ok":true}"#);
}

#[test]
fn a_prompt_can_elicit() {
    let mut call = Call {
        server: connect(Revision::NEWEST),
        method: "prompts/get",
        params: json!({"name": "test_input_required_result_prompt"}),
    };
    let (asked, state) = call.begin();
    assert_eq!(asked["user_context"]["params"]["message"], "What context should the prompt use?");
    let done = call.round(json!({"user_context": accept(json!({"context": "a test"}))}), &state);
    assert_eq!(done.result()["messages"][0]["content"]["text"], "Use this context: a test");
}

#[test]
fn a_request_state_is_valid_only_for_its_own_request() {
    let mut call = Call::tool("test_input_required_result_tampered_state");
    let (_, state) = call.begin();
    let confirm = json!({"confirm": accept(json!({"ok": true}))});
    let text = state.as_str().unwrap();
    let mut errors = Vec::new();
    let changed = format!("{}{}", if text.starts_with('A') { 'B' } else { 'A' }, &text[1..]);
    for bad in [
        json!(format!("{text}-TAMPERED")),
        json!(changed),
        json!(&text[..text.len() - 2]),
        json!(""),
        json!("x".repeat(20_000)),
        json!(7),
        json!({}),
    ] {
        let refused = call.round(confirm.clone(), &bad);
        assert_eq!(refused.error_code(), Some(-32602), "{bad}: {}", refused.text);
        errors.push(refused.value["error"].clone());
    }
    let mut elsewhere = |name: &str, arguments: Value| {
        let params = json!({"name": name, "arguments": arguments, "requestState": state, "inputResponses": confirm});
        let refused = call.server.ask("tools/call", params);
        assert_eq!(refused.error_code(), Some(-32602), "{}", refused.text);
        errors.push(refused.value["error"].clone());
    };
    elsewhere("test_streaming_elicitation", json!({}));
    elsewhere("test_input_required_result_tampered_state", json!({"more": 1}));
    elsewhere("test_simple_text", json!({}));
    assert!(errors.windows(2).all(|pair| pair[0] == pair[1]), "nobody learns why: {errors:?}");
    assert_eq!(call.round(confirm, &state).content_text(), r#"action=accept, content={"ok":true}"#);
}

#[test]
fn requests_need_the_capability_of_the_client() {
    let mut server = Server::start("everything");
    server.open_with(Revision::NEWEST, json!({"sampling": {}}));
    let asked = server.call("test_input_required_result_capabilities", json!({}));
    assert_eq!(keys(&questions(&asked).0), ["greeting"]);

    server.open_with(Revision::NEWEST, json!({}));
    let refused = server.call("test_missing_capability", json!({}));
    assert_eq!(refused.error_code(), Some(-32021));
    assert_eq!(refused.value["error"]["data"], json!({"requiredCapabilities": {"sampling": {}}}));
    let refused = server.call("test_streaming_elicitation", json!({}));
    assert_eq!(refused.error_code(), Some(-32021));
    assert_eq!(refused.value["error"]["data"], json!({"requiredCapabilities": {"elicitation": {"form": {}}}}));

    for revision in Revision::LEGACY {
        let mut server = Server::connect("everything", revision);
        let refused = server.call("test_streaming_elicitation", json!({}));
        assert!(refused.is_tool_error());
        assert!(refused.content_text().contains("elicitation"), "{}", refused.text);
    }
}

#[test]
fn lists_never_need_input() {
    let mut server = connect(Revision::NEWEST);
    for method in ["tools/list", "prompts/list", "resources/list"] {
        let params = json!({"inputResponses": {"x": {}}, "requestState": "x"});
        assert_eq!(server.ask(method, params).result()["resultType"], "complete");
    }
}

#[test]
fn changes_of_lists_are_notified() {
    let mut server = connect(Revision::NEWEST);
    let tools = server.begin("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    assert_eq!(server.receive().value["method"], "notifications/subscriptions/acknowledged");
    let prompts = server.begin("subscriptions/listen", json!({"notifications": {"promptsListChanged": true}}));
    assert_eq!(server.receive().value["method"], "notifications/subscriptions/acknowledged");
    for (tool, method, subscription) in [
        ("test_trigger_tool_change", "notifications/tools/list_changed", &tools),
        ("test_trigger_prompt_change", "notifications/prompts/list_changed", &prompts),
    ] {
        let call = server.begin_call(tool, json!({}));
        server.answer_to(&call);
        // The list changes and changes back, which may be told twice.
        let mut told = server.receive();
        while told.value["method"] != method {
            assert_eq!(told.value["method"], "notifications/tools/list_changed", "the one before: {}", told.text);
            told = server.receive();
        }
        let id = &told.value["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
        assert_eq!(id.to_string(), *subscription, "only who asked for it is told");
    }
    // Everything that changed has changed back.
    assert_eq!(names(&server.ask("tools/list", Value::Null), "tools", "name"), TOOLS);

    let mut server = connect(Revision::V2025_11_25);
    server.call("test_trigger_tool_change", json!({}));
    assert_eq!(server.receive().value["method"], "notifications/tools/list_changed");
}
