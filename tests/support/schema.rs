//! Checks frames against the official JSON Schema of their revision.
//!
//! `MCP_SCHEMA_DIR` names the folder with `2024-11-05.json` to `2026-07-28.json`. Without it nothing is
//! checked, which is said loudly, and is a failure where `CI` is `true`.

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

/// Checks a value against a definition, and describes what is wrong with it.
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
    let definition = match method {
        "initialize" => "InitializeResult",
        "server/discover" => "DiscoverResult",
        "tools/list" => "ListToolsResult",
        "tools/call" => "CallToolResult",
        "ping" | "logging/setLevel" => "EmptyResult",
        other => return Err(format!("an unexpected result to {other}: {answer}")),
    };
    check(revision, definition, &answer["result"])?;
    match newer_than(revision, method, &answer["result"]) {
        Some(what) => Err(format!("{what} is newer than {revision}, in {answer}")),
        None => Ok(()),
    }
}

/// Checks a notification from the server.
pub fn check_notification(revision: Revision, notification: &Value) -> Result<(), String> {
    let definition = match notification["method"].as_str().unwrap_or_default() {
        "notifications/message" => "LoggingMessageNotification",
        "notifications/progress" => "ProgressNotification",
        "notifications/tools/list_changed" => "ToolListChangedNotification",
        "notifications/cancelled" => "CancelledNotification",
        other => {
            return Err(format!("an unexpected notification {other}: {notification}"));
        }
    };
    check(revision, "JSONRPCNotification", notification)?;
    check(revision, definition, notification)?;
    let message = &notification["params"]["message"];
    if revision < Revision::V2025_03_26 && definition == "ProgressNotification" && !message.is_null() {
        return Err(format!("a progress message is newer than {revision}: {notification}"));
    }
    Ok(())
}

/// Finds what a client of that revision has never heard of.
fn newer_than(revision: Revision, method: &str, result: &Value) -> Option<String> {
    use Revision::*;
    let forbid = |value: &Value, place: &str, fields: &[(&str, Revision)]| {
        fields
            .iter()
            .find(|(field, since)| revision < *since && value.get(field).is_some())
            .map(|(field, _)| format!("{place}{field}"))
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
            forbid(
                tool,
                "tool.",
                &[
                    ("annotations", V2025_03_26),
                    ("title", V2025_06_18),
                    ("_meta", V2025_06_18),
                    ("outputSchema", V2025_06_18),
                    ("icons", V2025_11_25),
                    ("execution", V2025_11_25),
                ],
            )
            .or_else(|| forbid(&tool["inputSchema"], "tool.inputSchema.", &[("$schema", V2025_11_25)]))
        }),
        "tools/call" => result["content"].as_array()?.iter().find_map(|block| match block["type"].as_str() {
            Some("audio") if revision < V2025_03_26 => Some("audio content".into()),
            Some("resource_link") if revision < V2025_06_18 => Some("a resource link".into()),
            _ => forbid(block, "content.", &[("_meta", V2025_06_18)]),
        }),
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
    fn wrong_frames_are_refused() {
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
    fn what_is_newer_than_the_revision_is_refused() {
        let result = json!({"resultType": "complete", "content": []});
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": result});
        for revision in Revision::LEGACY {
            check_answer(revision, "tools/call", &answer).unwrap_err();
        }
        assert_eq!(check_answer(Revision::NEWEST, "tools/call", &answer), Ok(()));
        let link = json!({"type": "resource_link", "uri": "a:b", "name": "c"});
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {"content": [link]}});
        check_answer(Revision::V2025_03_26, "tools/call", &answer).unwrap_err();
        assert_eq!(check_answer(Revision::V2025_06_18, "tools/call", &answer), Ok(()));
    }
}
