//! Checks frames against the official JSON Schema of their revision.
//!
//! `MCP_SCHEMA_DIR` names the folder with `2024-11-05.json` to `2026-07-28.json`. Without it nothing is
//! checked, which is printed loudly, and is a failure where `CI` is `true`.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::Value;

use super::Revision;

/// The folder of schemas, if there is one.
pub fn folder() -> Option<PathBuf> {
    static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let folder = std::env::var_os("MCP_SCHEMA_DIR").filter(|value| !value.is_empty());
        if folder.is_none() {
            // Not by `eprintln!`, which the test harness keeps to itself when a test passes.
            let notice = "\nSCHEMA VALIDATION SKIPPED: set MCP_SCHEMA_DIR to the folder of the official schemas\n";
            let _ = std::io::stderr().write_all(notice.as_bytes());
        }
        folder.map(PathBuf::from)
    });
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(FOLDER.is_some() || !ci, "CI must check frames: set MCP_SCHEMA_DIR");
    FOLDER.clone()
}

/// Checks a value against a definition, and describes its faults.
pub fn check(revision: Revision, definition: &str, value: &Value) -> Result<(), String> {
    let Some(validator) = validator(revision, definition)? else {
        return Ok(());
    };
    let problems: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("  {} (at {:?})", error, error.instance_path().to_string()))
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("not a {definition} of {revision}:\n{}\n  in {value}", problems.join("\n")))
}

/// Checks the answer to a request: its envelope, its result, and that nothing in it is newer than
/// the client's revision, which the schemas leave open.
pub fn check_answer(revision: Revision, method: &str, answer: &Value) -> Result<(), String> {
    if let Some(error) = answer.get("error") {
        if error["code"].is_null() {
            return Err(format!("an error without a code: {answer}"));
        }
        let definition = match revision {
            Revision::V2025_11_25 | Revision::V2026_07_28 => "JSONRPCErrorResponse",
            _ => "JSONRPCError",
        };
        return check(revision, definition, answer);
    }
    let envelope = match revision {
        Revision::V2025_11_25 | Revision::V2026_07_28 => "JSONRPCResultResponse",
        _ => "JSONRPCResponse",
    };
    check(revision, envelope, answer)?;
    if revision.is_modern() && answer["result"]["resultType"] == "input_required" {
        return check_input_required(revision, method, &answer["result"]);
    }
    let definition = match method {
        "initialize" => "InitializeResult",
        "server/discover" => "DiscoverResult",
        "tools/list" => "ListToolsResult",
        "tools/call" => "CallToolResult",
        "resources/list" => "ListResourcesResult",
        "resources/templates/list" => "ListResourceTemplatesResult",
        "resources/read" => "ReadResourceResult",
        "prompts/list" => "ListPromptsResult",
        "prompts/get" => "GetPromptResult",
        "completion/complete" => "CompleteResult",
        "subscriptions/listen" => "SubscriptionsListenResult",
        "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => "EmptyResult",
        other => return Err(format!("an unexpected result to {other}: {answer}")),
    };
    let result = &answer["result"];
    check(revision, definition, result)?;
    if let Some(what) = newer_than(revision, method, result) {
        return Err(format!("{what} is newer than {revision}, in {answer}"));
    }
    match forbidden(method, result) {
        Some(what) => Err(format!("{what}, in {answer}")),
        None => Ok(()),
    }
}

/// Checks an interim result, whose client requests have no envelope.
fn check_input_required(revision: Revision, method: &str, result: &Value) -> Result<(), String> {
    if !matches!(method, "tools/call" | "resources/read" | "prompts/get") {
        return Err(format!("{method} cannot ask back: {result}"));
    }
    check(revision, "InputRequiredResult", result)?;
    if result.get("ttlMs").is_some() || result.get("cacheScope").is_some() {
        return Err(format!("nobody may keep an interim result: {result}"));
    }
    let requests = result["inputRequests"].as_object();
    for request in requests.into_iter().flat_map(|requests| requests.values()) {
        if request.get("jsonrpc").is_some() || request.get("id").is_some() {
            return Err(format!("a question has no envelope: {request}"));
        }
        check_question(revision, request)?;
    }
    Ok(())
}

fn check_question(revision: Revision, request: &Value) -> Result<(), String> {
    let definition = match request["method"].as_str().unwrap_or_default() {
        "elicitation/create" => "ElicitRequest",
        "sampling/createMessage" => "CreateMessageRequest",
        "roots/list" => "ListRootsRequest",
        other => return Err(format!("an unexpected request {other}: {request}")),
    };
    check(revision, definition, request)
}

/// Checks a request from the server, which only clients with a handshake get.
pub fn check_request(revision: Revision, request: &Value) -> Result<(), String> {
    if revision.is_modern() {
        return Err(format!("a modern client gets no requests: {request}"));
    }
    check(revision, "JSONRPCRequest", request)?;
    check_question(revision, request)
}

/// Finds problems that the text of the specification forbids and its schemas do not.
fn forbidden(method: &str, result: &Value) -> Option<&'static str> {
    let is_cached = result.get("ttlMs").is_some() || result.get("cacheScope").is_some();
    if is_cached && matches!(method, "tools/call" | "prompts/get" | "completion/complete") {
        return Some("nobody may keep such an answer");
    }
    let items = result["contents"].as_array()?;
    if items.is_empty() {
        return Some("a resource without contents is not found");
    }
    let is_one = |item: &Value| item.get("text").is_some() != item.get("blob").is_some();
    (!items.iter().all(is_one)).then_some("contents are either text or a blob")
}

/// Checks a notification from the server.
pub fn check_notification(revision: Revision, notification: &Value) -> Result<(), String> {
    let definition = match notification["method"].as_str().unwrap_or_default() {
        "notifications/message" => "LoggingMessageNotification",
        "notifications/progress" => "ProgressNotification",
        "notifications/tools/list_changed" => "ToolListChangedNotification",
        "notifications/resources/list_changed" => "ResourceListChangedNotification",
        "notifications/prompts/list_changed" => "PromptListChangedNotification",
        "notifications/resources/updated" => "ResourceUpdatedNotification",
        "notifications/subscriptions/acknowledged" => "SubscriptionsAcknowledgedNotification",
        "notifications/cancelled" => "CancelledNotification",
        other => {
            return Err(format!("an unexpected notification {other}: {notification}"));
        }
    };
    check(revision, "JSONRPCNotification", notification)?;
    check(revision, definition, notification)?;
    let params = &notification["params"];
    if !revision.is_modern() && params.pointer("/_meta/io.modelcontextprotocol~1subscriptionId").is_some() {
        return Err(format!("a subscription's id is newer than {revision}: {notification}"));
    }
    let message = &params["message"];
    if revision < Revision::V2025_03_26 && definition == "ProgressNotification" && !message.is_null() {
        return Err(format!("a progress message is newer than {revision}: {notification}"));
    }
    Ok(())
}

/// Finds members that are newer than that revision.
fn newer_than(revision: Revision, method: &str, result: &Value) -> Option<String> {
    use Revision::*;
    let forbid = |value: &Value, place: &str, fields: &[(&str, Revision)]| {
        fields
            .iter()
            .find(|(field, since)| revision < *since && value.get(field).is_some())
            .map(|(field, _)| format!("{place}{field}"))
    };
    let entry = |entry: &Value| {
        forbid(entry, "", &[("title", V2025_06_18), ("_meta", V2025_06_18), ("icons", V2025_11_25)])
            .or_else(|| forbid(&entry["annotations"], "annotations.", &[("lastModified", V2025_06_18)]))
    };
    let block = |block: &Value| match block["type"].as_str() {
        Some("audio") if revision < V2025_03_26 => Some("audio content".into()),
        Some("resource_link") if revision < V2025_06_18 => Some("a resource link".into()),
        _ => forbid(block, "content.", &[("_meta", V2025_06_18)])
            .or_else(|| forbid(&block["annotations"], "content.annotations.", &[("lastModified", V2025_06_18)])),
    };
    let found = forbid(
        result,
        "",
        &[
            ("resultType", V2026_07_28),
            ("ttlMs", V2026_07_28),
            ("cacheScope", V2026_07_28),
            ("structuredContent", V2025_06_18),
        ],
    );
    if found.is_some() {
        return found;
    }
    let info = result.pointer("/_meta/io.modelcontextprotocol~1serverInfo");
    if revision < V2026_07_28 && info.is_some() {
        return Some("serverInfo in _meta".into());
    }
    match method {
        "initialize" => forbid(
            &result["serverInfo"],
            "serverInfo.",
            &[
                ("title", V2025_06_18),
                ("icons", V2025_11_25),
                ("description", V2025_11_25),
                ("websiteUrl", V2025_11_25),
            ],
        )
        .or_else(|| forbid(&result["capabilities"], "capabilities.", &[("completions", V2025_03_26)])),
        "tools/list" => result["tools"].as_array()?.iter().find_map(|tool| {
            entry(tool).or_else(|| {
                forbid(
                    tool,
                    "tool.",
                    &[("annotations", V2025_03_26), ("outputSchema", V2025_06_18), ("execution", V2025_11_25)],
                )
            })
        }),
        "resources/list" => result["resources"].as_array()?.iter().find_map(entry),
        "resources/templates/list" => result["resourceTemplates"].as_array()?.iter().find_map(entry),
        "prompts/list" => result["prompts"].as_array()?.iter().find_map(|prompt| {
            let mut arguments = prompt["arguments"].as_array().into_iter().flatten();
            entry(prompt).or_else(|| arguments.find_map(entry))
        }),
        "tools/call" => result["content"].as_array()?.iter().find_map(block),
        "prompts/get" => result["messages"].as_array()?.iter().find_map(|message| block(&message["content"])),
        "resources/read" => {
            let items = result["contents"].as_array()?;
            items.iter().find_map(|item| forbid(item, "contents.", &[("_meta", V2025_06_18)]))
        }
        _ => None,
    }
}

/// Compiles a definition of a revision, once per process.
fn validator(revision: Revision, definition: &str) -> Result<Option<Arc<Validator>>, String> {
    type Compiled = HashMap<(Revision, String), Arc<Validator>>;
    static COMPILED: LazyLock<Mutex<Compiled>> = LazyLock::new(Mutex::default);

    let Some(folder) = folder() else {
        return Ok(None);
    };
    let key = (revision, definition.to_owned());
    // A test that failed while it held the lock has left nothing half done in the map.
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = compiled.get(&key) {
        return Ok(Some(validator.clone()));
    }
    let path = folder.join(format!("{revision}.json"));
    let text = std::fs::read(&path).map_err(|error| format!("MCP_SCHEMA_DIR: {}: {error}", path.display()))?;
    let mut schema: Value = serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let definitions = if schema.get("$defs").is_some() { "$defs" } else { "definitions" };
    if schema[definitions].get(definition).is_none() {
        return Err(format!("{revision} has no {definition}"));
    }
    schema["$ref"] = format!("#/{definitions}/{definition}").into();
    let validator = jsonschema::validator_for(&schema).map_err(|error| format!("{}: {error}", path.display()))?;
    let validator = Arc::new(validator);
    compiled.insert(key, validator.clone());
    Ok(Some(validator))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn frames_that_break_their_schema_are_refused() {
        if folder().is_none() {
            return;
        }
        for revision in Revision::ALL {
            let answer = |result: Value| json!({"jsonrpc": "2.0", "id": 1, "result": result});
            let mut good = json!({"content": [{"type": "text", "text": "hi"}]});
            if revision.is_modern() {
                good["resultType"] = "complete".into();
            }
            assert_eq!(check_answer(revision, "tools/call", &answer(good.clone())), Ok(()));
            good["content"] = json!("hi");
            check_answer(revision, "tools/call", &answer(good)).unwrap_err();
            check_answer(revision, "tools/list", &answer(json!({}))).unwrap_err();
            check_answer(revision, "ping", &json!({"jsonrpc": "1.0", "id": 1, "result": {}})).unwrap_err();

            let error = |error: Value| json!({"jsonrpc": "2.0", "id": 1, "error": error});
            let good = error(json!({"code": -32601, "message": "no such method"}));
            assert_eq!(check_answer(revision, "nope", &good), Ok(()));
            check_answer(revision, "nope", &error(json!({"code": "x", "message": "m"}))).unwrap_err();
            check_answer(revision, "nope", &error(json!({"code": -32601}))).unwrap_err();

            let progress = json!({"progressToken": 1});
            let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress});
            check_notification(revision, &progress).unwrap_err();
        }
    }

    #[test]
    fn frames_that_break_the_text_of_the_specification_are_refused() {
        let check = |method: &str, mut result: Value| {
            result["resultType"] = "complete".into();
            let answer = json!({"jsonrpc": "2.0", "id": 1, "result": result});
            check_answer(Revision::NEWEST, method, &answer)
        };
        let contents = |contents: Value| json!({"contents": contents, "ttlMs": 0, "cacheScope": "private"});
        let item = json!({"uri": "a:b", "text": "", "blob": ""});
        check("resources/read", contents(json!([]))).unwrap_err();
        check("resources/read", contents(json!([item]))).unwrap_err();
        assert_eq!(check("resources/read", contents(json!([{"uri": "a:b", "text": ""}]))), Ok(()));
        assert_eq!(check("prompts/get", json!({"messages": []})), Ok(()));
        check("prompts/get", json!({"messages": [], "ttlMs": 0})).unwrap_err();
    }

    #[test]
    fn members_newer_than_the_revision_are_refused() {
        let result = json!({"resultType": "complete", "content": []});
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": result});
        for revision in Revision::LEGACY {
            check_answer(revision, "tools/call", &answer).unwrap_err();
        }
        assert_eq!(check_answer(Revision::NEWEST, "tools/call", &answer), Ok(()));
        let resource = json!({"uri": "a:b", "name": "c", "annotations": {"lastModified": "2026-01-01T00:00:00Z"}});
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {"resources": [resource]}});
        check_answer(Revision::V2025_03_26, "resources/list", &answer).unwrap_err();
        assert_eq!(check_answer(Revision::V2025_06_18, "resources/list", &answer), Ok(()));
        let link = json!({"type": "resource_link", "uri": "a:b", "name": "c"});
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {"content": [link]}});
        check_answer(Revision::V2025_03_26, "tools/call", &answer).unwrap_err();
        assert_eq!(check_answer(Revision::V2025_06_18, "tools/call", &answer), Ok(()));
    }
}
