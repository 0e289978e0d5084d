//! A test client whose frames are checked against the official schema of its revision.

use std::collections::HashMap;

use fastmcp_rs::testing::{Origin, TestClientBuilder};
use serde_json::{Value, json};

use crate::support::{Revision, schema};

/// Checks every frame of a client that speaks a revision.
pub fn validated(client: TestClientBuilder, revision: Revision) -> TestClientBuilder {
    let spoken = fastmcp_rs::Revision::parse(revision.name()).expect("the library knows every revision");
    let mut methods = HashMap::new();
    client.revision(spoken).observe(move |origin, frame| {
        let value: Value = serde_json::from_str(frame).expect("a frame is JSON");
        let checked = match origin {
            Origin::Client => sent(revision, &value, &mut methods),
            Origin::Server => received(revision, &value, &mut methods),
        };
        if let Err(problem) = checked {
            panic!("{problem}");
        }
    })
}

/// Checks a frame of the client against the schema of its method.
fn sent(revision: Revision, frame: &Value, methods: &mut HashMap<String, String>) -> Result<(), String> {
    let Some(method) = frame["method"].as_str() else { return Ok(()) };
    if frame.get("id").is_some() {
        methods.insert(frame["id"].to_string(), method.to_owned());
    }
    let definition = match method {
        "initialize" => "InitializeRequest",
        "server/discover" => "DiscoverRequest",
        "tools/list" => "ListToolsRequest",
        "tools/call" => "CallToolRequest",
        "resources/list" => "ListResourcesRequest",
        "resources/templates/list" => "ListResourceTemplatesRequest",
        "resources/read" => "ReadResourceRequest",
        "prompts/list" => "ListPromptsRequest",
        "prompts/get" => "GetPromptRequest",
        "completion/complete" => "CompleteRequest",
        "subscriptions/listen" => "SubscriptionsListenRequest",
        "resources/subscribe" => "SubscribeRequest",
        "resources/unsubscribe" => "UnsubscribeRequest",
        "logging/setLevel" => "SetLevelRequest",
        "notifications/initialized" => "InitializedNotification",
        "notifications/cancelled" => "CancelledNotification",
        // Methods that tests invent.
        _ => return Ok(()),
    };
    schema::check(revision, definition, frame)
}

fn received(revision: Revision, frame: &Value, methods: &mut HashMap<String, String>) -> Result<(), String> {
    match (frame["method"].as_str(), frame.get("id")) {
        (None, Some(id)) => {
            let method = methods.remove(&id.to_string()).unwrap_or_default();
            schema::check_answer(revision, &method, frame)
        }
        (Some(_), None) => schema::check_notification(revision, frame),
        (Some(_), Some(_)) => schema::check_request(revision, frame),
        // An error that answers nothing in particular.
        (None, None) => schema::check_answer(revision, "", frame),
    }
}

#[test]
fn frames_that_break_the_schema_fail_the_test() {
    if schema::folder().is_none() {
        return;
    }
    let mut methods = HashMap::new();
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x", "arguments": {}}});
    assert_eq!(sent(Revision::V2025_11_25, &call, &mut methods), Ok(()));
    sent(Revision::V2026_07_28, &call, &mut methods).unwrap_err();
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {"content": "x"}});
    received(Revision::V2025_11_25, &answer, &mut methods).unwrap_err();
}
