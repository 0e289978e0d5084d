//! The example messages of the specification, sent as they are printed there.
//!
//! They are in the folder that `MCP_EXAMPLES_DIR` names, or in `examples` beside the schemas.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Revision, Server, schema};

/// Each example, with the name of the definition that it is an example of.
fn examples() -> Vec<(String, PathBuf, Value)> {
    let folder = match std::env::var_os("MCP_EXAMPLES_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => match schema::folder() {
            Some(schemas) => schemas.with_file_name("examples"),
            // The schema check has said so already.
            None => return Vec::new(),
        },
    };
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| {
            panic!("no example messages in {} ({error}): set MCP_EXAMPLES_DIR", folder.display())
        });
        entries.map(|entry| entry.expect("a readable folder").path()).collect::<Vec<_>>()
    };
    let mut examples = Vec::new();
    for kind in list(&folder) {
        for path in list(&kind) {
            let name = kind.file_name().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            examples.push((name, path, value));
        }
    }
    assert!(examples.len() > 100, "only {} examples", examples.len());
    examples
}

#[test]
fn examples_are_of_the_type_that_their_folder_names() {
    for (name, path, value) in examples() {
        if let Err(problem) = schema::check(Revision::NEWEST, &name, &value) {
            panic!("{}: {problem}", path.display());
        }
    }
}

#[test]
fn every_example_message_is_parsed() {
    let mut server = Server::start("fixture");
    let mut requests = 0;
    for (_, path, value) in examples().into_iter().filter(|(_, _, value)| value.get("jsonrpc").is_some()) {
        if value.get("method").is_none() || value.get("id").is_none() {
            // Notifications, and answers to requests that this server has not sent.
            server.send_unnoted((value.to_string() + "\n").as_bytes());
            server.assert_quiet();
            continue;
        }
        requests += 1;
        if value["method"] == "subscriptions/listen" {
            server.send(&value.to_string());
            let acknowledged = server.receive();
            assert_eq!(acknowledged.value["method"], "notifications/subscriptions/acknowledged");
            continue;
        }
        let answer = server.exchange(&value.to_string());
        let expected = match value["method"].as_str().expect("a method") {
            "server/discover" | "tools/list" | "prompts/list" => None,
            "resources/list" | "resources/templates/list" => None,
            // The components of the examples are not the fixture's.
            "tools/call" | "resources/read" | "prompts/get" | "completion/complete" => Some(-32602),
            _ => Some(-32601),
        };
        assert_eq!(answer.error_code(), expected, "{}: {}", path.display(), answer.text);
    }
    assert!(requests > 5 || schema::folder().is_none(), "only {requests} requests among the examples");
}
