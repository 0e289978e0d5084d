//! Requests to clients, checked against the official schemas.

use serde_json::{Value, json};

use crate::support::{Revision, schema};

/// The requests of the library, recorded by its unit tests.
const QUESTIONS: &str = include_str!("../../../fastmcp-rs/tests/questions.json");

#[test]
fn every_request_fits_the_schema_of_its_revision() {
    let questions: Vec<Value> = serde_json::from_str(QUESTIONS).unwrap();
    for revision in Revision::ALL {
        let of_revision = questions.iter().filter(|question| question["revision"] == revision.name());
        let mut methods = Vec::new();
        for question in of_revision {
            let method = question["method"].as_str().unwrap();
            methods.push(method);
            assert_eq!(check(revision, method, &question["params"]), Ok(()));
        }
        assert!(methods.contains(&"sampling/createMessage") && methods.contains(&"roots/list"), "{revision}");
        assert_eq!(methods.contains(&"elicitation/create"), revision >= Revision::V2025_06_18, "{revision}");
    }
}

#[test]
fn malformed_requests_do_not_fit_the_schema() {
    let wrong = json!({ "message": "Hi", "requestedSchema": { "type": "object", "properties": { "a": {} } } });
    if schema::folder().is_some() {
        check(Revision::V2025_06_18, "elicitation/create", &wrong).unwrap_err();
        check(Revision::NEWEST, "elicitation/create", &wrong).unwrap_err();
        let multiple = json!({ "type": "array", "items": { "type": "string", "enum": ["a"] } });
        let newer =
            json!({ "message": "Hi", "requestedSchema": { "type": "object", "properties": { "a": multiple } } });
        check(Revision::V2025_06_18, "elicitation/create", &newer).unwrap_err();
        assert_eq!(check(Revision::NEWEST, "elicitation/create", &newer), Ok(()));
    }
}

fn check(revision: Revision, method: &str, params: &Value) -> Result<(), String> {
    let definition = match method {
        "elicitation/create" => "ElicitRequest",
        "sampling/createMessage" => "CreateMessageRequest",
        "roots/list" => "ListRootsRequest",
        other => return Err(format!("an unexpected question: {other}")),
    };
    let mut question = json!({ "method": method, "params": params });
    match revision.is_modern() {
        true => schema::check(revision, "InputRequest", &question)?,
        false => {
            question["jsonrpc"] = "2.0".into();
            question["id"] = 1.into();
        }
    }
    schema::check(revision, definition, &question)
}
